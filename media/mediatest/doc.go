// Package mediatest makes small exact streams for tests: pictures and sound that real decoders accept, written
// bit by bit, so that a test knows every byte and needs no encoder.
//
// Pictures are H.264: an IDR picture is flat gray, every other picture repeats it (ITU-T H.264 section 7.3). Sound
// is silent AAC-LC (ISO/IEC 14496-3 section 4.4). Each frame carries its own number in a place that decoders skip
// (an SEI message, a data stream element), so no two frames of a stream are equal and a lost, doubled or
// swapped one is seen at once.
//
// Everything is computed from the Stream value: the same value gives the same bytes. No goroutines.
package mediatest
