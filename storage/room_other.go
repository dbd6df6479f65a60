//go:build !linux && !darwin

package storage

import "os"

// Room returns how many bytes can still be written under root, and how many its file system has in all. Both are
// negative when it does not tell.
func Room(*os.Root) (free, total int64) { return -1, -1 }
