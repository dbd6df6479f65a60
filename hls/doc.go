// Package hls is the origin: it turns frames into Low-Latency HLS that any player takes, keeps every finished
// segment safe, and remembers after a crash what viewers have been told.
//
//	ingest ─frames─► Input ─► segmenter: where to cut   (the encoder's goroutine)
//	                            └─► fmp4: bytes of a part
//	                                  ├─► window: immutable view, waiters wake ─► Handler ─► viewers
//	                                  └─► spool: file and journal ─► uploader ─► storage
//
// A channel is either the private preview of a publisher, named by their user ID and kept in memory only, or a
// lesson, named by its lesson ID, which outlives its encoders and this process. An Input writes into exactly one
// channel at a time: the preview until GoLive, then, from the next key frame on, the lesson.
//
// # What viewers are promised
//
// EXT-X-MEDIA-SEQUENCE and EXT-X-DISCONTINUITY-SEQUENCE never go back, also after a crash. TARGETDURATION,
// PART-TARGET and PART-HOLD-BACK never change within a lesson. Every listed URI answers with the same bytes for as
// long as it is listed and, after that, for its own duration and that of the longest playlist that listed it.
// Names are never used twice. Nothing a viewer does is felt by the encoder or by another viewer.
//
// # What the encoder's goroutine is promised
//
// Input.Write computes and appends to memory; it waits for no disk, no store and no viewer. A spool that fails
// costs the recording, never the lesson: the segment lives in memory, is uploaded from there if possible, and is
// listed with EXT-X-GAP if not.
//
// # Renditions
//
// v0, v1, … are the pictures of video tracks, each with the sound muxed in; a0 is the sound alone. All are cut at
// the key frames of v0 and number their segments alike. The renditions of a lesson are never fewer than they once
// were: when an encoder comes back with one picture instead of two, v1 shows the one.
//
// # The recording as a file
//
// lesson.mp4 is the main rendition as one file that any player takes. Its segments are in it as they are in the
// store; only the index in front of them is computed, from tables that are written when a part is made. Outages are
// cut out of it.
//
// # Time
//
// Output timestamps are the position in the programme: they begin at 0, and an outage is as long in them as it was
// on the clock. PROGRAM-DATE-TIME is anchored to our clock where an epoch begins and follows the media clock from
// there.
//
// # Words
//
// An epoch is one connection of an encoder; it has a tag, a number and random letters, that stands in the name of
// all its objects. A generation is a run of frames within an epoch that one init segment describes; between two
// generations stands EXT-X-DISCONTINUITY.
//
// # Goroutines and locks
//
// Input.Write runs on the caller's. Each lesson on air has one that writes its spool and journal, started when the
// channel is made and ended by End, or by Run before it returns. Run owns the uploaders and the sweeper. Requests
// wait on the view of one rendition. Lock order: Origin.making, then Origin.mu or channel.mu, never one inside the
// other; below channel.mu those of its spool, of the uploader and of what is unstored, one at a time. Viewers of a
// channel in memory take none.
//
// References: RFC 8216, draft-pantos-hls-rfc8216bis-18, ISO/IEC 14496-12 (movie fragments), RFC 6381.
package hls
