package classroom

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/web"
	"chalkcast/media"
	"chalkcast/templates"
)

// attempts is how a teacher's last encoders were received. It is what accounts.Config asks for.
func (k *Classroom) attempts(ctx context.Context, user media.ID) ([]templates.Attempt, error) {
	rows, err := k.Lessons.Attempts(ctx, user)
	if err != nil {
		return nil, err
	}
	zone := k.Accounts.School().Zone
	var list []templates.Attempt
	for _, row := range rows {
		list = append(list, templates.Attempt{
			At: row.At.Time().In(zone), Protocol: strings.ToUpper(string(row.Protocol)), KeyID: row.KeyID,
			Admitted: row.Admitted, Code: string(row.Code), Detail: row.Detail,
		})
	}
	return list, nil
}

// publisher is the viewer, provided that they may hold stream keys.
func (k *Classroom) publisher(c *gin.Context) (*web.Viewer, error) {
	v := web.MustViewer(c)
	may, err := k.Courses.MayPublish(c.Request.Context(), v)
	if err == nil && !may {
		err = fault.Forbidden("")
	}
	return v, err
}

// setUpOBS shows the four steps.
func (k *Classroom) setUpOBS(c *gin.Context) error {
	v, err := k.publisher(c)
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	p := templates.SetUpOBS{Server: k.cfg.Server}
	if p.Encoder, err = k.encoder(c, v.ID); err != nil {
		return err
	}
	if p.Refused, err = k.refused(ctx, v.ID, web.Now(c).Location()); err != nil {
		return err
	}
	if p.Rehearsal, err = k.rehearsal(ctx, v.ID); err != nil {
		return err
	}
	if p.Page, err = web.NewPage(c, "settings"); err != nil {
		return err
	}
	return web.Render(c, http.StatusOK, p)
}

// refused is what is wrong with the last encoder of a teacher, nil when there is nothing to say or it is long ago.
func (k *Classroom) refused(ctx context.Context, teacher media.ID, zone *time.Location) (*templates.Refused, error) {
	attempts, err := k.Lessons.Attempts(ctx, teacher)
	if err != nil || len(attempts) == 0 {
		return nil, err
	}
	last := attempts[0]
	if at := last.At.Time(); last.Remarkable() && k.now().Sub(at) < refusedFor {
		return &templates.Refused{At: at.In(zone), Code: string(last.Code), Detail: last.Detail}, nil
	}
	return nil, nil
}

func (k *Classroom) apiEncoder(c *gin.Context) error {
	v, err := k.publisher(c)
	if err != nil {
		return err
	}
	e, err := k.encoder(c, v.ID)
	if err != nil {
		return err
	}
	return web.JSON(c, http.StatusOK, e)
}

// encoderEvents tells a teacher's page how far their encoder is: at once, and whenever something is heard of it.
func (k *Classroom) encoderEvents(c *gin.Context) error {
	v, err := k.publisher(c)
	if err != nil {
		return err
	}
	news := k.bus.Subscribe(c.Request.Context(), v.ID) // before the state is read, so that nothing falls between
	stream, err := web.OpenStream(c)
	if err != nil {
		return nil // from here on an error is a page that went away
	}
	defer stream.Close()
	beat := time.NewTicker(web.Heartbeat)
	defer beat.Stop()
	for {
		if k.sendEncoder(c, stream, v.ID) != nil {
			return nil
		}
		select {
		case <-stream.Context().Done():
			return nil
		case <-beat.C:
			if who, err := k.Accounts.Identify(c.Request.Context(), web.SessionToken(c)); err == nil && who == nil || stream.Ping() != nil {
				return nil
			}
		case _, open := <-news:
			if !open { // a page that was too slow comes back and reads the present state
				return nil
			}
		}
	}
}

func (k *Classroom) sendEncoder(c *gin.Context, stream *web.EventStream, teacher media.ID) error {
	e, err := k.encoder(c, teacher)
	if err != nil {
		return err
	}
	b, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return stream.Send("", "encoder", b)
}

// encoder says how far a teacher's encoder is, in the reader's language.
func (k *Classroom) encoder(c *gin.Context, teacher media.ID) (e templates.Encoder, err error) {
	b, streams := k.Lessons.BroadcastFor(0, teacher)
	hasKey := streams
	if !streams {
		keys, err := k.Accounts.Keys(c.Request.Context(), teacher)
		if err != nil {
			return e, err
		}
		hasKey = slices.ContainsFunc(keys, func(key accounts.Key) bool { return key.RevokedAt.IsZero() })
	}
	say := func(key string, data map[string]any) string { return web.T(c, key, data) }
	e.Steps = []templates.Step{keyStep(hasKey, say), seenStep(streams, b.Health, say), pictureStep(b.Health, say), soundStep(b.Health, say)}
	e.All = !slices.ContainsFunc(e.Steps, func(s templates.Step) bool { return !s.Done })
	if what := seen(b.Health, say); streams && what != "" {
		key := "obs.seen"
		if b.Live {
			key = "obs.seen_live"
		}
		e.Seen = say(key, map[string]any{"What": what})
	}
	return e, nil
}

// sayer makes a sentence of the catalogues.
type sayer func(key string, data map[string]any) string

func keyStep(has bool, say sayer) templates.Step {
	if has {
		return templates.Step{Name: "key", Done: true, Says: say("setup_obs.key_done", nil)}
	}
	return templates.Step{Name: "key", Says: say("setup_obs.key_open", nil)}
}

func seenStep(streams bool, h templates.Health, say sayer) templates.Step {
	if !streams {
		return templates.Step{Name: "seen", Says: say("setup_obs.seen_open", nil)}
	}
	name := h.Encoder
	if name == "" {
		name = say("setup_obs.an_encoder", nil)
	}
	return templates.Step{Name: "seen", Done: true, Says: say("setup_obs.seen_done", map[string]any{"Encoder": name})}
}

// goodKeyframes is how far apart keyframes may be: students wait that long, and the delay grows.
const goodKeyframes = 4 * time.Second

// pictureStep is done with H.264 and keyframes that come often enough. Until the second has come nobody knows.
func pictureStep(h templates.Health, say sayer) templates.Step {
	s := templates.Step{Name: "picture", Says: say("setup_obs.picture_open", nil)}
	picture := track(h, "video")
	gap := time.Duration(h.KeyframeMS) * time.Millisecond
	switch {
	case complaint(&s, h, say, media.VideoCodec, media.KeyframeLong):
	case picture == nil || !strings.HasPrefix(picture.Words, "H.264"):
	case gap <= 0:
		s.Says = say("setup_obs.picture_wait", nil)
	case gap <= goodKeyframes:
		s.Done, s.Says = true, say("setup_obs.picture_done", map[string]any{"What": size(picture) + ", " + picture.Words, "Seconds": decimal(h.KeyframeMS)})
	}
	return s
}

// soundStep is done with AAC in at most two channels that really arrives.
func soundStep(h templates.Health, say sayer) templates.Step {
	s := templates.Step{Name: "sound", Says: say("setup_obs.sound_open", nil)}
	sound := track(h, "audio")
	switch {
	case complaint(&s, h, say, media.AudioCodec, media.AudioMissing, media.AudioChannels):
	case sound != nil && strings.HasPrefix(sound.Words, "AAC") && sound.Channels <= 2:
		s.Done, s.Says = true, say("setup_obs.sound_done", map[string]any{"What": sound.Words})
	}
	return s
}

// complaint lets a step say what the studio would: a warning with one of the codes.
func complaint(s *templates.Step, h templates.Health, say sayer, codes ...media.Code) bool {
	for _, w := range h.Warnings {
		if slices.Contains(codes, media.Code(w.Code)) {
			s.Says = say("code."+w.Code+".studio", map[string]any{"Detail": w.Detail, "At": w.Since})
			return true
		}
	}
	return false
}

func track(h templates.Health, kind string) *templates.HealthTrack {
	i := slices.IndexFunc(h.Tracks, func(t templates.HealthTrack) bool { return t.Kind == kind })
	if i < 0 {
		return nil
	}
	return &h.Tracks[i]
}

// seen is what arrives in one breath: "1280×720, 30 fps, H.264 High, AAC stereo".
func seen(h templates.Health, say sayer) string {
	var parts []string
	if picture := track(h, "video"); picture != nil {
		parts = append(parts, size(picture))
		if h.FPSMilli > 0 {
			parts = append(parts, say("studio.v_fps", map[string]any{"V": decimal(int64(h.FPSMilli))}))
		}
		parts = append(parts, picture.Words)
	}
	if sound := track(h, "audio"); sound != nil {
		parts = append(parts, sound.Words)
	}
	return strings.Join(parts, ", ")
}

func size(t *templates.HealthTrack) string { return fmt.Sprintf("%d×%d", t.Width, t.Height) }

// decimal writes thousandths with one decimal, and none when it is 0.
func decimal(thousandths int64) string {
	tenths := (thousandths + 50) / 100
	if tenths%10 == 0 {
		return strconv.FormatInt(tenths/10, 10)
	}
	return fmt.Sprintf("%d.%d", tenths/10, tenths%10)
}
