package rtsp_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"chalkcast/media"
	"chalkcast/media/mediatest"
)

// client speaks RTSP by hand.
type client struct {
	net.Conn
	t   *testing.T
	in  *bufio.Reader
	url string
	seq int
}

func dial(t *testing.T, p *place) *client {
	t.Helper()
	c, err := net.Dial("tcp", p.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(time.Minute))
	return &client{Conn: c, t: t, in: bufio.NewReader(c), url: p.url()}
}

// ask sends a request and returns the status and the headers of the answer; status 0 when the connection ended.
func (c *client) ask(method, url string, body string, headers ...string) (int, map[string]string) {
	c.seq++
	text := fmt.Sprintf("%s %s RTSP/1.0\r\nCSeq: %d\r\n", method, url, c.seq)
	for _, h := range headers {
		text += h + "\r\n"
	}
	if body != "" {
		text += fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	return c.raw(text + "\r\n" + body)
}

func (c *client) raw(text string) (int, map[string]string) {
	io.WriteString(c, text) // the server may have hung up: the answer says so
	line, err := c.in.ReadString('\n')
	if err != nil {
		return 0, nil
	}
	status, words, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "RTSP/1.0 "), " ")
	code, err := strconv.Atoi(status)
	if err != nil {
		c.t.Fatalf("answer %q", line)
	}
	headers := map[string]string{"": words}
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			return 0, nil
		}
		if line = strings.TrimSpace(line); line == "" {
			break
		}
		name, value, _ := strings.Cut(line, ":")
		headers[name] = strings.TrimSpace(value)
	}
	length, _ := strconv.Atoi(headers["Content-Length"])
	io.CopyN(io.Discard, c.in, int64(length))
	return code, headers
}

// ended reports whether the server closes the connection.
func (c *client) ended() bool {
	_, err := io.Copy(io.Discard, c.in)
	return !errors.Is(err, os.ErrDeadlineExceeded)
}

const sdpHead = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=Room 4\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"

const (
	plainSDP = "Content-Type: application/sdp"
	h264SDP  = "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:trackID=0\r\n"
)

func (c *client) announce(description string, headers ...string) (int, map[string]string) {
	return c.ask("ANNOUNCE", c.url, sdpHead+description, append([]string{plainSDP}, headers...)...)
}

// set goes as far as SETUP of one track.
func (c *client) set() (session string) {
	if status, _ := c.announce(h264SDP); status != 200 {
		c.t.Fatalf("ANNOUNCE: %d", status)
	}
	status, headers := c.ask("SETUP", c.url+"/trackID=0", "", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1;mode=record")
	if status != 200 || headers["Session"] == "" {
		c.t.Fatalf("SETUP: %d %v", status, headers)
	}
	return headers["Session"]
}

// SEC-15: encoders publish here, and nobody plays.
func TestOptionsAndMethods(t *testing.T) {
	p := open(t)
	c := dial(t, p)
	status, headers := c.ask("OPTIONS", c.url, "")
	if status != 200 || headers["Server"] != "chalkcast" || strings.Contains(headers["Public"], "PLAY") || strings.Contains(headers["Public"], "DESCRIBE") {
		t.Errorf("OPTIONS: %d %v", status, headers)
	}
	for _, test := range []struct {
		method string
		want   int
	}{
		{"DESCRIBE", 405},
		{"PLAY", 405},
		{"PAUSE", 405},
		{"SET_PARAMETER", 405},
		{"REDIRECT", 405},
		{"SETUP", 455},
		{"RECORD", 455},
		{"TEARDOWN", 454},
		{"GET_PARAMETER", 454},
	} {
		if status, headers := c.ask(test.method, c.url, ""); status != test.want || test.want == 405 && headers["Allow"] == "" {
			t.Errorf("%s: %d %v, want %d", test.method, status, headers, test.want)
		}
	}
	for _, method := range []string{"SETUP", "RECORD", "TEARDOWN"} {
		if status, _ := c.ask(method, c.url, "", "Session: 0123456789abcdef"); status != 454 {
			t.Errorf("%s with a guessed session: %d, want 454", method, status)
		}
	}
}

// Somebody else's session, even from the same address, is out of reach.
func TestForeignSession(t *testing.T) {
	p := open(t)
	owner, thief := dial(t, p), dial(t, p)
	session := owner.set()
	for _, method := range []string{"TEARDOWN", "RECORD", "SETUP", "GET_PARAMETER"} {
		if status, _ := thief.ask(method, owner.url, "", "Session: "+session); status != 454 {
			t.Errorf("%s of another's session: %d, want 454", method, status)
		}
	}
	if status, _ := owner.ask("RECORD", owner.url, "", "Session: "+session); status != 200 {
		t.Errorf("RECORD of the owner: %d", status)
	}
}

// SEC-14: what cannot become a lesson is refused in words.
func TestAnnounceRefusals(t *testing.T) {
	p := open(t)
	media1000 := strings.Repeat(h264SDP, 1000)
	for name, test := range map[string]struct {
		description string
		want        int
		words       string
	}{
		"1000 medias":        {media1000, 400, ""},
		"5 medias":           {strings.Repeat(h264SDP, 5), 400, ""},
		"two pictures":       {h264SDP + strings.ReplaceAll(h264SDP, "trackID=0", "trackID=1"), 415, "more than one video track"},
		"nothing":            {"", 400, ""},
		"text only":          {"m=application 0 RTP/AVP 98\r\na=rtpmap:98 vnd.onvif.metadata/90000\r\n", 415, "no picture and no sound"},
		"VP8":                {"m=video 0 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n", 415, "Video VP8"},
		"sound as a picture": {"m=video 0 RTP/AVP 97\r\na=rtpmap:97 opus/48000/2\r\n", 415, "Video Opus"},
		"a picture as sound": {"m=audio 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n", 415, "Audio H264"},
		"A-law":              {h264SDP + "m=audio 0 RTP/AVP 8\r\n", 415, "Audio G711"},
		"MP3":                {"m=audio 0 RTP/AVP 14\r\n", 415, "MPEG-1/2 Audio"},
		"fmtp bomb":          {"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 " + strings.Repeat("a=b;", 10000) + "\r\n", 400, ""},
		"many formats":       {"m=video 0 RTP/AVP" + strings.Repeat(" 96", 4000) + "\r\na=rtpmap:96 H264/90000\r\n", 400, ""},
		"many attributes":    {h264SDP + strings.Repeat("a=x\r\n", 1000), 400, ""},
		"bad base64 in sets": {"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 sprop-parameter-sets=!,!\r\n", 400, ""},
		"AAC without config": {"m=audio 0 RTP/AVP 97\r\na=rtpmap:97 mpeg4-generic/48000/2\r\n", 400, ""},
		"LATM with its second layer like the first": {"m=audio 0 RTP/AVP 97\r\na=rtpmap:97 MP4A-LATM/48000/2\r\n" +
			"a=fmtp:97 cpresent=0;config=400223203fe3fc\r\n", 400, ""},
		"two LATM programs": {"m=audio 0 RTP/AVP 97\r\na=rtpmap:97 MP4A-LATM/48000/2\r\na=fmtp:97 cpresent=0;config=401023203fc7f8\r\n", 400, ""},
		"LATM in band":      {"m=audio 0 RTP/AVP 97\r\na=rtpmap:97 MP4A-LATM/90000/1\r\n", 415, "LATM"},
		"back channel":      {h264SDP + "a=sendonly\r\n", 400, ""},
	} {
		c := dial(t, p)
		status, headers := c.announce(test.description)
		if status != test.want || !strings.Contains(headers[""], test.words) {
			t.Errorf("%s: %d %s, want %d … %s", name, status, headers[""], test.want, test.words)
		}
		if status == 415 && !c.ended() {
			t.Errorf("%s: the connection stays", name)
		}
	}
	if status, _ := dial(t, p).ask("ANNOUNCE", p.url(), sdpHead+h264SDP); status != 400 {
		t.Errorf("no content type: %d, want 400", status)
	}
	p.wait(t, "ends of what was admitted", func() bool { return len(p.ends) >= 6 })
	for _, end := range p.ends {
		if end.Code != media.VideoCodec && end.Code != media.AudioCodec && end.Code != media.StreamBroken {
			t.Errorf("end %+v", end)
		}
	}
}

func TestKeyForms(t *testing.T) {
	p := open(t)
	key := p.key.Text()
	live := fmt.Sprintf("rtsp://%s/live", p.address)
	authorization := func(user, password string) string {
		return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
	}
	for name, test := range map[string]struct {
		url     string
		headers []string
		want    int
	}{
		"in the path":      {live + "/" + key, nil, 200},
		"with a slash":     {live + "/" + key + "/", nil, 200},
		"in the query":     {live + "?key=" + key, nil, 200},
		"as password":      {live, []string{authorization("teacher", key)}, 200},
		"as user":          {live, []string{authorization(key, "x")}, 200},
		"unknown":          {live + "/" + media.NewKey().Text(), nil, 403},
		"wrong secret":     {live + "/" + key[:12] + media.NewKey().Text()[12:], nil, 403},
		"cut":              {live + "/" + key[:30], []string{authorization("x", "y")}, 403},
		"none":             {live, nil, 401},
		"empty password":   {live, []string{authorization("x", "")}, 403},
		"digest":           {live, []string{`Authorization: Digest username="x", realm="ipcam", nonce="0", uri="x", response="0"`}, 403},
		"half a header":    {live, []string{"Authorization: Basic"}, 403},
		"header of 8 KiB":  {live, []string{"Authorization: Basic " + strings.Repeat("A", 8192)}, 0},
		"NUL in the path":  {live + "/%00", nil, 401},
		"a path of 64 KiB": {live + "/" + strings.Repeat("x", 65536), nil, 0},
	} {
		c := dial(t, p)
		status, headers := c.ask("ANNOUNCE", test.url, sdpHead+h264SDP, append(test.headers, plainSDP)...)
		if status != test.want {
			t.Errorf("%s: %d %v, want %d", name, status, headers, test.want)
		}
		switch {
		case status == 401 && !strings.HasPrefix(headers["WWW-Authenticate"], "Basic"):
			t.Errorf("%s: asked for %q, want Basic", name, headers["WWW-Authenticate"])
		case status == 403 && !strings.HasPrefix(headers[""], "The stream key is not valid."):
			t.Errorf("%s: said %q", name, headers[""])
		case status == 403 && !c.ended():
			t.Errorf("%s: the connection stays", name)
		}
		c.Close()
		p.wait(t, "the place to be free", func() bool {
			return len(p.ends) == int(p.server.Stats().Published)
		})
	}
}

// After 401 the same connection may try again with a key.
func TestChallenge(t *testing.T) {
	p := open(t)
	c := dial(t, p)
	c.url = fmt.Sprintf("rtsp://%s/live", p.address)
	if status, _ := c.announce(h264SDP); status != 401 {
		t.Fatalf("without a key: %d", status)
	}
	if len(p.attempts) > 0 {
		t.Error("the gate was asked about nobody")
	}
	password := base64.StdEncoding.EncodeToString([]byte("x:" + p.key.Text()))
	if status, _ := c.announce(h264SDP, "Authorization: Basic "+password); status != 200 {
		t.Errorf("with a key: %d", status)
	}
}

func TestRefusedByTheSchool(t *testing.T) {
	p := open(t)
	for code, want := range map[media.Code]int{media.NoLesson: 403, media.PathMistyped: 403, media.ServerBusy: 503, media.SecondEncoder: 403} {
		p.note(func() { p.refusal = &media.Refusal{Code: code} })
		if status, headers := dial(t, p).announce(h264SDP); status != want || headers[""] == "" {
			t.Errorf("%s: %d %v, want %d", code, status, headers, want)
		}
	}
}

// SEC-10, the list *RTSP* of hostile inputs: bytes that are no RTSP, or too much of it. The server must close, or wait for its deadline, and go on.
func TestGarbage(t *testing.T) {
	p := open(t)
	for name, text := range map[string]string{
		"random":                  string(bytes.Repeat([]byte{0x93, 0x11, 0xfe}, 70_000)),
		"a request without end":   "ANNOUNCE " + strings.Repeat("x", 300_000),
		"a header line of 1 MiB":  "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nX: " + strings.Repeat("x", 1<<20) + "\r\n\r\n",
		"10,000 headers":          "OPTIONS * RTSP/1.0\r\n" + strings.Repeat("X: y\r\n", 10_000) + "\r\n",
		"Content-Length −1":       "ANNOUNCE rtsp://x/live RTSP/1.0\r\nCSeq: 1\r\nContent-Length: -1\r\n\r\n",
		"Content-Length 2^63":     "ANNOUNCE rtsp://x/live RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 9223372036854775808\r\n\r\n",
		"Content-Length 200 KiB":  "ANNOUNCE rtsp://x/live RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 204800\r\n\r\n",
		"an answer":               "RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n",
		"media before a key":      "$\x00\x00\x04abcd",
		"a request without CSeq":  "OPTIONS * RTSP/1.0\r\n\r\n",
		"a request without a URL": "ANNOUNCE * RTSP/1.0\r\nCSeq: 1\r\n\r\n",
		"HTTP":                    "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		c := dial(t, p)
		c.raw(text)
		if tcp, ok := c.Conn.(*net.TCPConn); ok {
			tcp.CloseWrite()
		}
		if !c.ended() {
			t.Errorf("%s: the connection stays", name)
		}
	}
	if status, _ := dial(t, p).announce(h264SDP); status != 200 {
		t.Errorf("afterwards a good encoder gets %d", status)
	}
}

func TestSetupHeaders(t *testing.T) {
	p := open(t)
	for transport, want := range map[string]int{
		"RTP/AVP;unicast;client_port=5000-5001;mode=record":            461, // UDP is off
		"RTP/AVP/TCP;unicast;interleaved=0-1;mode=play":                400,
		"RTP/AVP/TCP;unicast;interleaved=0-5;mode=record":              400,
		"RTP/AVP/TCP;unicast;interleaved=99999999999999-1;mode=record": 400,
		"garbage": 400,
		strings.Repeat("RTP/AVP/TCP,", 150) + "RTP/AVP/TCP;unicast": 400,
		"RTP/SAVP/TCP;unicast;interleaved=0-1;mode=record":          461, // keys would travel in the clear
	} {
		c := dial(t, p)
		if status, _ := c.announce(h264SDP); status != 200 {
			t.Fatalf("ANNOUNCE: %d", status)
		}
		if status, _ := c.ask("SETUP", c.url+"/trackID=0", "", "Transport: "+transport); status != want {
			t.Errorf("SETUP with %q: %d, want %d", transport, status, want)
		}
		c.Close()
		p.wait(t, "the place to be free", func() bool { return len(p.ends) == int(p.server.Stats().Published) })
	}
}

// An encoder that was let in sends RTP that means nothing: it is ignored or sent away, and said so.
func TestGarbageMedia(t *testing.T) {
	p := open(t)
	c := dial(t, p)
	session := c.set()
	if status, _ := c.ask("RECORD", c.url, "", "Session: "+session); status != 200 {
		t.Fatalf("RECORD: %d", status)
	}
	frame := func(channel byte, payload []byte) []byte {
		return append([]byte{'$', channel, byte(len(payload) >> 8), byte(len(payload))}, payload...)
	}
	header := []byte{0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1}
	for _, b := range [][]byte{
		frame(0, nil), frame(0, []byte{1}), frame(0, header), frame(0, append(header, 0x7c)), frame(0, append(header, 0x78, 0xff, 0xff)),
		frame(0, append(header, 0x1d, 1, 2)), frame(1, nil), frame(1, []byte{0x80, 200}), frame(1, bytes.Repeat([]byte{0x81, 200, 0, 6}, 500)),
		frame(9, []byte("never set up")), frame(255, bytes.Repeat([]byte{0}, 65535)), frame(0, bytes.Repeat([]byte{0xff}, 65535)),
	} {
		if _, err := c.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	good := mediatest.Stream{NoAudio: true, Duration: time.Second}
	for i, unit := range [][]byte{good.SPS(), good.PPS(), good.Frames()[0].Data[4:]} {
		marker := byte(96)
		if i == 2 {
			marker |= 0x80
		}
		if _, err := c.Write(frame(0, append([]byte{0x80, marker, 0, byte(2 + i), 0, 0, 1, 0, 0, 0, 0, 1}, unit...))); err != nil {
			t.Fatal(err)
		}
	}
	if status, _ := c.ask("TEARDOWN", c.url, "", "Session: "+session); status != 200 {
		t.Errorf("TEARDOWN: %d", status)
	}
	if end := p.waitEnd(t); !end.Stopped || end.Code != "" {
		t.Errorf("end %+v", end)
	}
	if len(p.written) > 1 {
		t.Errorf("%d frames came out", len(p.written))
	}
	if p.server.Stats().Broken == 0 {
		t.Error("nothing was counted as broken")
	}
}
