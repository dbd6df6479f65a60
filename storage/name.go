package storage

import (
	"fmt"
	"strings"
)

// MaxName is the greatest length of an object's name in bytes.
const MaxName = 512

const maxWord = 100

// CheckName returns ErrName for a name outside the grammar:
//
//	name   = *( folder "/" ) file
//	folder = word
//	file   = word 1*( "." word )
//	word   = 1*100( a-z / 0-9 / "-" / "_" ), the first a letter or digit
//
// Folders never have a dot and files always do, so no object can be in another's way on a disk; nothing begins
// with a dot or differs only in case, so no name means something else to a file system; and none of the letters
// needs escaping in a URL.
func CheckName(name string) error {
	folder, file := cutFile(name)
	base, rest, dotted := strings.Cut(file, ".")
	ok := dotted && len(name) <= MaxName && isFolder(folder) && isWord(base)
	for ok && dotted {
		base, rest, dotted = strings.Cut(rest, ".")
		ok = isWord(base)
	}
	if !ok {
		return fmt.Errorf("%w %.100q", ErrName, name)
	}
	return nil
}

// CheckPrefix returns ErrName for a prefix that List does not take.
func CheckPrefix(prefix string) error {
	folder, file := cutFile(prefix)
	if file != "" || len(prefix) > MaxName || !isFolder(folder) {
		return fmt.Errorf("%w %.100q as prefix", ErrName, prefix)
	}
	return nil
}

// cutFile splits after the last slash: "a/b/c.m4s" is "a/b/" and "c.m4s".
func cutFile(name string) (folder, file string) {
	i := strings.LastIndexByte(name, '/') + 1
	return name[:i], name[i:]
}

func isFolder(folder string) bool {
	for folder != "" {
		var word string
		word, folder, _ = strings.Cut(folder, "/")
		if !isWord(word) {
			return false
		}
	}
	return true
}

func isWord(s string) bool {
	if s == "" || len(s) > maxWord || s[0] == '-' || s[0] == '_' {
		return false
	}
	for _, c := range []byte(s) {
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return true
}
