// Command compare measures chalkcast beside another server, in one run and under one load: what a stream costs, how
// late its parts are, and how many viewers one core serves.
//
//	compare --peer /path/to/mediamtx [--only ingest,delay,viewers,plain]
//
// The peer is MediaMTX, which has to be there already; nginx, ffmpeg and taskset are Debian's. Both servers push and
// serve the same clip, drawn by ffmpeg: 1280×720 at 30 pictures a second, 2.5 Mbit/s, B-frames, a keyframe every 2 s,
// AAC. The load is cmd/surge for both. Ours is a demo school with everything that a school has: sign-in, database,
// spool, verified upload to the disk store. The peer has LL-HLS on and nothing else; with --record it
// records, too.
//
//	ingest   both servers at once, each with as many encoders: CPU and memory
//	delay    both at once, one encoder, one viewer, parts of one length: last picture sent to part received
//	viewers  one after the other, the server alone on core 0 and the load on core 1: how many follow live
//	plain    the same with players that know nothing of low latency, beside nginx that serves ffmpeg's files
//
// Machines differ, and a shared one differs from minute to minute: only figures of one run can be compared.
// Everything is started and ended by this process; what it leaves is the table.
package main
