// Package storage says what an object store is, so that finished media can lie on a disk, in any S3-compatible
// store, or in memory, and nobody above can tell which.
//
// An object is a name and at least one byte, written once and read many times. The contract is the comment on
// each method of Store; storage/storagetest is the same contract as a test suite, and every implementation
// passes it. storage/disk, storage/s3 and storage/memory are the implementations.
//
//	hls ──► storage.Keep ──► Store.Put, Store.Stat: size and SHA-256 agree, or it is done again
//	hls ◄────────────────── Store.Get(name, Range)
//
// Bytes are described before they are handed over (Content carries their size and SHA-256; KeepFile computes it when
// the store cannot take the file itself), and a store is asked afterwards what it holds (Stat). A store that took half
// a segment and said "200 OK" is found out before anybody is told that the segment is there.
//
// A store starts no goroutine that outlives a call. It may be slow, full or away at any time; callers on the
// live path never wait for it.
package storage
