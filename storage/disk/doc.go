// Package disk keeps objects as plain files under one folder, so that they can be copied, counted and played
// with ordinary tools. The name of an object is its path; the grammar of names (storage.CheckName) leaves no
// letter that a file system would read differently, and os.Root keeps every access inside the folder even when
// somebody puts a symbolic link into it.
//
// An object appears whole and durable:
//
//	.incoming/<random>   write, compare size and SHA-256, fsync
//	lessons/…/12.m4s     rename, fsync the folder and every folder above it
//
// A file that is durable already and lies on the same disk, as a segment in the spool does, is not copied: it gets the
// second name as a hard link.
//
// A server that dies in between leaves a file in .incoming and nothing else; Open removes old ones. After a
// failed fsync nothing of that file is trusted: it is removed, Put returns the error, and a repeated Put writes
// a new file from the start.
//
// Two servers may share the folder for the minutes of an upgrade. There are no goroutines.
package disk
