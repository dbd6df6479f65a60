// Package obs writes what sets OBS up for a school: a profile to import, and the settings for several qualities at
// once. Both are what OBS itself writes and reads (profile folder: basic.ini, service.json, streamEncoder.json;
// multitrack video: the answer of its configuration API, pasted as Config Override).
//
// In: the school's server address and a key. Out: bytes. Pure: nothing is stored, no clock is read.
package obs
