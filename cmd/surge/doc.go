// Command surge is a class that comes all at once: it measures what a server bears.
//
//	surge --credentials FILE --viewers 300             students of a demo school, from the page to the picture
//	surge --url http://…/index.m3u8 --viewers 2000     players alone, of this server or any other
//	surge --rtmp rtmp://…/live/s{n} --encoders 30      encoders alone
//
// Encoders push a clip over RTMP at real time and write into every picture when it was sent. Students sign in, load
// the class page, ask for the playback address, listen for events, play and send beats at the page's own pace.
// Players follow live as players do: by blocking reload, delta updates and parts, or without any of these
// (--plain). They start where the playlist tells them to, keep a buffer, and stall when it runs dry.
//
//	encoders up ─► live ─► join, spread at random ─► settle ─► measured ─► everybody leaves ─► report
//
// What is measured, in the time after everybody has joined and only then: stalls, the delay of parts, errors, and
// with --pid the server's CPU and memory, in all and for each stream and viewer. The delay of a part is counted in
// two ways: from the moment when its last picture was sent, which one player per stream finds in the bytes it got
// (only with surge's own encoders), and, by all players, from the PROGRAM-DATE-TIME at which it ends.
//
// The load is meant to be light: one goroutine and one connection per followed playlist, one request at a time;
// playlists that many players get are parsed once, and the bytes of media are thrown away in the kernel where it can
// do that. What cannot keep up is reported as well: the lateness of surge's own timers. When that is not far below
// the parts' length, the figures are surge's and not the server's.
//
// One context ends everything: main waits for all goroutines, which the player, the student or the encoder that
// starts them waits for.
package main
