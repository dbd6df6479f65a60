// Package ticket mints and verifies playback tickets: the piece of a media URL that lets one viewer watch one
// channel for a while.
//
//	/p/<ticket>/l/<channel>/live.m3u8
//
// A ticket stands in the path, because playlists name everything else by relative URLs: the player carries it to
// every segment by itself, on every device, and playlist bytes are the same for all viewers. It is no credential
// for an account and holds no name; who was there is never counted from it.
//
//	text = base64url( key id 1 | channel 8 | viewer session 8 | expires 4 | flags and turn 1 | HMAC-SHA-256 cut to 16 )
//
// All numbers are big-endian, expires is in Unix seconds. The key of the HMAC is derived from a secret by HKDF
// (RFC 5869) with a label of its own, so the same master secret may serve other purposes. Two secrets are valid
// at once: replacing one throws nobody out. Verifying costs about a microsecond and touches no database, and
// compares in constant time (SEC-20 to SEC-25).
package ticket
