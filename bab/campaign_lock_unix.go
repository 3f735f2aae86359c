//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package bab

import (
	"errors"
	"os"
	"syscall"
)

// lockFile takes a lock that ends with the process, however it ends. The file
// at path is there while the lock is held, and may be left over after a kill.
// Errors: ErrCampaignLocked, or those of the file system.
func lockFile(path string) (release func(), err error) {
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
		if err != nil {
			return nil, err
		}
		switch err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
		case errors.Is(err, syscall.EINTR):
			f.Close()
			continue
		case errors.Is(err, syscall.EWOULDBLOCK):
			f.Close()
			return nil, ErrCampaignLocked
		case err != nil:
			f.Close()
			return nil, &os.PathError{Op: "flock", Path: path, Err: err}
		}
		// The holder before may have removed the file between our opening and
		// locking it. Then the lock is worth nothing.
		mine, err := f.Stat()
		if now, other := os.Stat(path); err == nil && other == nil && os.SameFile(mine, now) {
			return func() {
				os.Remove(path)
				f.Close()
			}, nil
		}
		f.Close()
	}
}

// syncFolder makes a rename in the folder durable, where the system can.
func syncFolder(path string) {
	if d, err := os.Open(path); err == nil {
		_ = d.Sync() // not every file system can
		d.Close()
	}
}
