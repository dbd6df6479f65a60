// Package rtmp takes streams from RTMP and RTMPS encoders: OBS, ffmpeg, GStreamer and whatever speaks like them.
// It only ever reads media; playing is refused.
//
//	bytes ─► handshake ─► chunk ─► message ─► amf0 (commands: who publishes?) ─► ingest.Desk
//	                                   └────► flv (tags) ─► tracks (time, parameters) ─► ingest.Session
//
// What it understands: the simple handshake (also from clients that offer the complex one), chunks of all forms,
// AMF0, FLV tags with H.264 and AAC, and the tags of Enhanced RTMP v2 (avc1, hvc1, av01, vp09, mp4a, Opus,
// multitrack, ModEx). Unknown messages are skipped. The body of a video tag is already an fMP4 sample and passes
// through untouched; times are kept as the encoder sent them, in ticks, and sound is counted by samples because
// RTMP rounds to milliseconds.
//
// Every layer states its limits before it allocates: memory follows the bytes that arrived, never a length that
// was announced. Before a stream key was accepted, package guard bounds time and bytes as well.
//
// Server.Serve owns one goroutine per connection; it reads, decodes and calls the session, and ends before Serve
// returns. A panic ends its own connection only and is counted.
//
// References: Adobe RTMP 1.0; FLV 10.1 annex E; AMF0 2007-12-07; Enhanced RTMP v2 (Veovera).
package rtmp
