//go:build linux || darwin

package disk

import "syscall"

// Free returns how many bytes can still be stored, negative when the file system does not tell.
func (s *Store) Free() int64 {
	d, err := s.root.Open(".")
	if err != nil {
		return -1
	}
	defer d.Close()
	var fs syscall.Statfs_t
	if err := syscall.Fstatfs(int(d.Fd()), &fs); err != nil {
		return -1
	}
	return int64(fs.Bavail) * int64(fs.Bsize)
}
