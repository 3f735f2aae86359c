//go:build !darwin && !dragonfly && !freebsd && !linux && !netbsd && !openbsd && !windows

package bab

// lockFile does nothing where the standard library has no lock that ends with
// the process: one that outlived a kill would be worse than none.
func lockFile(string) (release func(), err error) { return func() {}, nil }

// syncFolder makes a rename in the folder durable, where the system can.
func syncFolder(string) {}
