package rtsp

import (
	"bytes"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/headers"
	"github.com/bluenviron/gortsplib/v4/pkg/sdp"
)

// Limits of a description of a stream. Real ones have less than 4 KiB and two tracks. The parser's work grows with
// the product of formats and attributes, so lines are counted before.
const (
	maxDescription = 16 << 10
	maxMedias      = 4
	maxMediaLine   = 200
	maxLines       = 200
)

// refused is a method that the library does not know; it answers 501 and the door puts its own verdict there.
const refused base.Method = "REFUSED"

// connState is what the door knows about a connection. It belongs to the connection's goroutine, and to the
// session's while the connection waits for its answer.
type connState struct {
	publisher *publisher // after ANNOUNCE
	recording bool
	verdict   base.StatusCode // of the request that is being answered, 0 when it was handed on
}

// vet decides whether the library may see a request, and returns the status of the answer if not.
func (c *connState) vet(req *base.Request) base.StatusCode {
	switch req.Method {
	case base.Options:
		if c.publisher == nil {
			delete(req.Header, "Session")
		}
		return 0
	case base.Announce:
		switch {
		case c.publisher != nil:
			return base.StatusMethodNotValidInThisState
		case !soundDescription(req.Body):
			return base.StatusBadRequest
		}
		delete(req.Header, "Session")
		return 0
	case base.Setup, base.Record:
		switch {
		case c.publisher == nil && len(req.Header["Session"]) > 0:
			return base.StatusSessionNotFound
		case c.publisher == nil || c.recording:
			return base.StatusMethodNotValidInThisState
		case !soundHeaders(req.Header):
			return base.StatusBadRequest
		}
		return 0
	case base.Teardown, base.GetParameter:
		if c.publisher == nil {
			return base.StatusSessionNotFound
		}
		return 0
	}
	return base.StatusMethodNotAllowed
}

// soundDescription tries the library's parsers out on an SDP. A panic there, as on a description of LATM sound
// whose second layer has no configuration, is a refusal here.
func soundDescription(b []byte) (ok bool) {
	defer func() { ok = recover() == nil && ok }()
	if len(b) > maxDescription || !plausibleLines(b) {
		return false
	}
	var text sdp.SessionDescription
	var d description.Session
	return text.Unmarshal(b) == nil && d.Unmarshal(&text) == nil
}

func plausibleLines(b []byte) bool {
	lines, medias := 0, 0
	for line := range bytes.Lines(b) {
		lines++
		if bytes.HasPrefix(line, []byte("m=")) {
			medias++
			if len(line) > maxMediaLine {
				return false
			}
		}
	}
	return lines <= maxLines && medias <= maxMedias
}

// soundHeaders does the same for the headers of SETUP.
func soundHeaders(h base.Header) (ok bool) {
	defer func() { ok = recover() == nil && ok }()
	if v, there := h["Transport"]; there {
		var t headers.Transports
		if t.Unmarshal(v) != nil {
			return false
		}
	}
	if v, there := h["KeyMgmt"]; there {
		var k headers.KeyMgmt
		if k.Unmarshal(v) != nil {
			return false
		}
	}
	return true
}
