package bab

import (
	"os"
	"syscall"
)

// lockFile takes a lock that ends with the process, however it ends: the file
// at path is opened for nobody else, and removed when it is closed.
// Errors: ErrCampaignLocked, or those of the file system.
func lockFile(path string) (release func(), err error) {
	const (
		sharingViolation = syscall.Errno(32)
		deleteOnClose    = 0x04000000
	)
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, &os.PathError{Op: "lock", Path: path, Err: err}
	}
	h, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil, syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL|deleteOnClose, 0)
	switch {
	case err == sharingViolation:
		return nil, ErrCampaignLocked
	case err != nil:
		return nil, &os.PathError{Op: "lock", Path: path, Err: err}
	}
	return func() { syscall.CloseHandle(h) }, nil
}

// syncFolder makes a rename in the folder durable, where the system can.
func syncFolder(string) {}
