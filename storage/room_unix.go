//go:build linux || darwin

package storage

import (
	"os"
	"syscall"
)

// Room returns how many bytes can still be written under root, and how many its file system has in all. Both are
// negative when it does not tell.
func Room(root *os.Root) (free, total int64) {
	d, err := root.Open(".")
	if err != nil {
		return -1, -1
	}
	defer d.Close()
	var fs syscall.Statfs_t
	if err := syscall.Fstatfs(int(d.Fd()), &fs); err != nil {
		return -1, -1
	}
	return int64(fs.Bavail) * int64(fs.Bsize), int64(fs.Blocks) * int64(fs.Bsize)
}
