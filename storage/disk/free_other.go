//go:build !linux && !darwin

package disk

// Free returns how many bytes can still be stored, negative when the file system does not tell.
func (s *Store) Free() int64 { return -1 }
