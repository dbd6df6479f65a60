package rtsp

import (
	"context"
	"errors"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/liberrors"

	"chalkcast/ingest"
	"chalkcast/ingest/guard"
	"chalkcast/media"
)

// errRefused makes the library close a connection after the answer.
var errRefused = errors.New("refused")

// handler is what the library calls. Its methods recover, because a panic in a goroutine of the library ends the
// process.
type handler struct {
	server *Server
	ctx    context.Context // of Serve
}

func stateOf(c *gortsplib.ServerConn) *connState {
	st, _ := c.UserData().(*connState)
	return st
}

// OnConnOpen begins a connection.
func (h *handler) OnConnOpen(ctx *gortsplib.ServerHandlerOnConnOpenCtx) {
	h.server.count.connections.Add(1)
	ctx.Conn.SetUserData(&connState{})
}

// OnRequest looks at a request before the library does.
func (h *handler) OnRequest(c *gortsplib.ServerConn, req *base.Request) {
	st := stateOf(c)
	if st.verdict = st.vet(req); st.verdict != 0 {
		h.server.count.broken.Add(1)
		req.Method = refused
	}
}

// OnResponse looks at every answer before it is sent.
func (h *handler) OnResponse(c *gortsplib.ServerConn, res *base.Response) {
	res.Header["Server"] = base.HeaderValue{"chalkcast"}
	st := stateOf(c)
	if st.verdict != 0 {
		res.StatusCode = st.verdict
	}
	if res.StatusCode == base.StatusMethodNotAllowed {
		res.Header["Allow"] = base.HeaderValue{"OPTIONS, ANNOUNCE, SETUP, RECORD, GET_PARAMETER, TEARDOWN"}
	}
}

// OnAnnounce asks the desk whether the encoder may publish what it announces.
func (h *handler) OnAnnounce(ctx *gortsplib.ServerHandlerOnAnnounceCtx) (res *base.Response, err error) {
	defer func() {
		if h.server.panicked(recover()) {
			res, err = &base.Response{StatusCode: base.StatusInternalServerError}, errRefused
		}
	}()
	attempt, credentials := findKey(ctx.Path, ctx.Query, ctx.Request.Header["Authorization"])
	if !attempt.HasKey && !credentials {
		return &base.Response{StatusCode: base.StatusUnauthorized}, liberrors.ErrServerAuth{}
	}
	attempt.At, attempt.Protocol, attempt.Remote = h.server.cfg.Now(), h.server.protocol(), remote(ctx.Conn)
	p, refusal := h.admit(ctx, attempt)
	if refusal != nil {
		h.server.count.refused.Add(1)
		h.server.cfg.Log.Debug("encoder turned away", "protocol", attempt.Protocol, "code", refusal.Code, "err", refusal)
		return answer(refusal), errRefused
	}
	h.server.count.published.Add(1)
	ctx.Session.SetUserData(p)
	stateOf(ctx.Conn).publisher = p
	return &base.Response{StatusCode: base.StatusOK}, nil
}

// admit returns the publisher, which has a place at the desk.
func (h *handler) admit(ctx *gortsplib.ServerHandlerOnAnnounceCtx, a media.Attempt) (*publisher, *media.Refusal) {
	p := newPublisher(h.server, ctx.Conn, ctx.Session)
	session, err := h.server.cfg.Desk.Admit(h.ctx, a, func(*media.Refusal) { ctx.Session.Close() })
	stranger := guard.Of(ctx.Conn.NetConn())
	if err != nil {
		r := refusalOf(err)
		if stranger != nil && (r.Code == media.KeyWrong || r.Code == media.KeyRevoked) {
			stranger.Failed()
		}
		return nil, r
	}
	if stranger != nil {
		stranger.Accepted()
	}
	p.session = session
	p.encoder = encoderName(ctx.Request.Header["User-Agent"], ctx.Description.Title)
	if err := p.announce(ctx.Description); err != nil {
		r := refusalOf(err)
		session.End(false, r)
		return nil, r
	}
	p.patience(h.server.recordLimit)
	return p, nil
}

// encoderName is what a program calls itself, or its stream.
func encoderName(agent base.HeaderValue, title string) string {
	if len(agent) > 0 {
		title = agent[0]
	}
	return ingest.Printable(title, 100)
}

// OnSetup accepts a track that was announced: the door lets nobody else come here.
func (h *handler) OnSetup(*gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return &base.Response{StatusCode: base.StatusOK}, nil, nil
}

// OnRecord lets media flow.
func (h *handler) OnRecord(ctx *gortsplib.ServerHandlerOnRecordCtx) (res *base.Response, err error) {
	defer func() {
		if h.server.panicked(recover()) {
			res, err = &base.Response{StatusCode: base.StatusInternalServerError}, errRefused
		}
	}()
	st := stateOf(ctx.Conn)
	st.recording = true
	st.publisher.record()
	return &base.Response{StatusCode: base.StatusOK}, nil
}

// OnSessionClose ends the broadcast of a session. The library calls no callback of it any more.
func (h *handler) OnSessionClose(ctx *gortsplib.ServerHandlerOnSessionCloseCtx) {
	defer func() { h.server.panicked(recover()) }()
	if p, ok := ctx.Session.UserData().(*publisher); ok {
		_, stopped := errors.AsType[liberrors.ErrServerSessionTornDown](ctx.Error)
		p.close(stopped)
	}
}

// OnConnClose ends the session that the connection began, also when its media came over UDP: an encoder that
// lost its connection will come back with a new one.
func (h *handler) OnConnClose(ctx *gortsplib.ServerHandlerOnConnCloseCtx) {
	if st := stateOf(ctx.Conn); st != nil && st.publisher != nil {
		st.publisher.rtsp.Close()
	}
}

// OnDecodeError counts a packet that makes no sense.
func (h *handler) OnDecodeError(*gortsplib.ServerHandlerOnDecodeErrorCtx) {
	h.server.count.broken.Add(1)
}

// OnPacketsLost counts packets that never came.
func (h *handler) OnPacketsLost(ctx *gortsplib.ServerHandlerOnPacketsLostCtx) {
	h.server.count.lost.Add(ctx.Lost)
}

// OnStreamWriteError is about receiver reports that could not be sent, which does not matter.
func (h *handler) OnStreamWriteError(*gortsplib.ServerHandlerOnStreamWriteErrorCtx) {}
