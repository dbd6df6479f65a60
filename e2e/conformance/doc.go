// Package conformance holds a server's HLS against the books: RFC 8216, its successor rfc8216bis with Low-Latency
// HLS, those of Apple's authoring rules that can be read from bytes, and RFC 9110 where it is about caches and ranges.
//
//	address ─► multivariant playlist ─► media playlists ─► init segments, segments, parts
//	                  │                      │ followed by blocking reloads while they are live
//	                  └──────────────────────┴──────────► Report: what was seen, and a Finding for each broken rule
//
// In goes the address of a multivariant playlist, live, growing or ended; out comes a Report. Check plays as a player
// does and fetches everything that it is told about; besides, it asks what players seldom ask: delta updates, requests
// far ahead and far behind, both encodings, HEAD, ranges, conditions, names that never were.
//
// Every rule has a name, a section, and in the tests a server that breaks just this rule. The package shares no code
// with package hls or its tests: what one of them gets wrong the others do not believe.
//
// Check runs on the caller's goroutine, and has ended those that it starts when it returns.
package conformance
