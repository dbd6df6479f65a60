package main

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"time"
)

// stampName says that a message in a picture is ours. A real UUID would do as well; letters cannot be mistaken for a
// start code.
const stampName = "surge:sent-at-ns"

// A stamp is a NAL unit of H.264 that decoders pass over: supplemental enhancement information, user data
// unregistered (ITU-T H.264 sections 7.3.2.3 and D.1.7), with 16 bytes of name and 16 hexadecimal digits.
const (
	nalSEI        = 6
	seiUserData   = 5
	stampDigits   = 16
	stampLength   = len(stampName) + stampDigits
	lengthBytes   = 4
	trailingStuff = 0x80
)

// stamp returns the unit for a picture that is sent at now, behind its length.
func stamp(now time.Time) []byte {
	b := make([]byte, lengthBytes, lengthBytes+3+stampLength+1)
	b = append(b, nalSEI, seiUserData, byte(stampLength))
	b = append(b, stampName...)
	digits := strconv.FormatUint(uint64(now.UnixNano()), 16)
	for range stampDigits - len(digits) {
		b = append(b, '0')
	}
	b = append(b, digits...)
	b = append(b, trailingStuff)
	binary.BigEndian.PutUint32(b, uint32(len(b)-lengthBytes))
	return b
}

// lastStamp returns when the last picture in a piece of media was sent.
func lastStamp(media []byte) (sent time.Time, ok bool) {
	i := bytes.LastIndex(media, []byte(stampName))
	if i < 0 || i+stampLength > len(media) {
		return time.Time{}, false
	}
	n, err := strconv.ParseUint(string(media[i+len(stampName):i+stampLength]), 16, 63)
	return time.Unix(0, int64(n)), err == nil
}
