package ingest

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"chalkcast/media"
)

// The meter counts in slots, so that a broadcast of any length costs the same.
const (
	slot      = 250 * time.Millisecond
	slots     = int(time.Minute / slot)
	perSecond = int(time.Second / slot)
)

// When a condition becomes a warning.
const (
	soundMissing   = 5 * time.Second
	keyframeWarn   = 4 * time.Second
	starvedWindow  = 5 * time.Second
	jumpRemembered = 30 * time.Second
	silenceIsLoss  = 5 * time.Second
)

// meter measures how one broadcast arrives. It is pure: what it knows of time it is told. The Session guards it.
type meter struct {
	limits Limits
	tracks []media.Track
	main   int // index of the track that paces the broadcast: the first video track, or else the first
	sound  int // index of the first audio track, −1 when there is none

	pace        pace
	begin, last time.Time
	newest      int // absolute number of the slot that is being filled
	ring        [slots]slotCount
	bytes10s    int

	keyframe media.Ticks // DTS of the last keyframe
	gaps     [3]time.Duration
	mainDTS  media.Ticks
	mainSeen bool
	soundAt  time.Time // of the last sound, or of when it was announced
	soundDTS media.Ticks
	heard    bool // soundDTS is known
	skewMS   int
	jumped   time.Time
	notes    []media.Warning // conditions that hold as long as these tracks do
	told     []media.Warning // conditions that the connection noticed
	since    map[media.Code]time.Time
	refusal  *media.Refusal
}

type slotCount struct {
	bytes, pictures int
	media           media.Ticks // DTS of the main track when the slot closed
}

func newMeter(tracks []media.Track, limits Limits) *meter {
	m := &meter{limits: limits, since: map[media.Code]time.Time{}}
	m.use(tracks)
	return m
}

func (m *meter) use(tracks []media.Track) {
	m.tracks, m.main, m.sound, m.notes = tracks, 0, -1, nil
	for i := len(tracks) - 1; i >= 0; i-- {
		if tracks[i].Kind == media.Video {
			m.main = i
		} else {
			m.sound = i
		}
	}
	for _, track := range tracks {
		m.noteTrack(track)
	}
}

// retrack goes on with other tracks. What is known of the broadcast stays; what is known of a track stays if it is
// still there and counts time as before.
func (m *meter) retrack(tracks []media.Track) {
	main, sound := m.at(m.main), m.at(m.sound)
	m.use(tracks)
	if !goesOn(main, m.at(m.main)) {
		m.mainSeen, m.mainDTS, m.keyframe, m.gaps = false, 0, 0, [3]time.Duration{}
		for i := range m.ring {
			m.ring[i].media = 0
		}
	}
	if !goesOn(sound, m.at(m.sound)) {
		m.heard, m.skewMS, m.soundAt = false, 0, m.last
	}
}

func (m *meter) at(i int) *media.Track {
	if i < 0 || i >= len(m.tracks) {
		return nil
	}
	return &m.tracks[i]
}

func goesOn(before, after *media.Track) bool {
	return before != nil && after != nil && sameTrack(*before, *after) && before.Clock == after.Clock
}

// noteTrack remembers what is wrong with a track whatever arrives on it.
func (m *meter) noteTrack(track media.Track) {
	p := track.Params
	switch {
	case p == nil:
	case track.Kind == media.Video && p.Codec != media.H264:
		m.notes = note(m.notes, media.VideoCodec, p.Codec.String())
	case track.Kind == media.Audio && p.Codec != media.AAC:
		m.notes = note(m.notes, media.AudioCodec, p.Codec.String())
	}
	if p != nil && p.Channels > 2 {
		m.notes = note(m.notes, media.AudioChannels, map[bool]string{true: "5.1", false: strconv.Itoa(p.Channels)}[p.Channels == 6])
	}
}

// tell adds a condition that lasts as long as the broadcast.
func (m *meter) tell(code media.Code, detail string) { m.told = note(m.told, code, detail) }

// note adds a condition to a list that does not have it.
func note(list []media.Warning, code media.Code, detail string) []media.Warning {
	for _, w := range list {
		if w.Code == code {
			return list
		}
	}
	return append(list, media.Warning{Code: code, Detail: detail})
}

// jump notes that the encoder's clock jumped.
func (m *meter) jump(now time.Time) { m.jumped = now }

// frame counts a frame, whose time is repaired and that is read now.
func (m *meter) frame(now time.Time, f *media.Frame) {
	now = m.arrived(now, f)
	m.advance(now)
	m.last = now
	m.ring[m.newest%slots].bytes += len(f.Data)
	m.bytes10s += len(f.Data)
	switch {
	case m.paces(f):
		m.mainFrame(f)
	case m.sound >= 0 && f.Track == m.tracks[m.sound].ID:
		m.soundDTS, m.heard = f.DTS, true
	}
	if m.sound >= 0 && f.Track == m.tracks[m.sound].ID {
		m.soundAt = now
	}
	if m.refusal == nil {
		m.refusal = m.tooMuch()
	}
}

func (m *meter) paces(f *media.Frame) bool {
	return m.main < len(m.tracks) && f.Track == m.tracks[m.main].ID
}

func (m *meter) arrived(now time.Time, f *media.Frame) time.Time {
	for i := range m.tracks {
		if t := &m.tracks[i]; t.ID == f.Track && t.Clock > 0 {
			return m.pace.frame(now, f.DTS.Duration(t.Clock), m.paces(f))
		}
	}
	return now
}

func (m *meter) mainFrame(f *media.Frame) {
	track := m.tracks[m.main]
	s := &m.ring[m.newest%slots]
	s.media = f.DTS
	if track.Kind == media.Video {
		s.pictures++
		switch {
		case !m.mainSeen:
			m.keyframe = f.DTS
		case f.Sync:
			m.gaps = [3]time.Duration{m.gaps[1], m.gaps[2], (f.DTS - m.keyframe).Duration(track.Clock)}
			m.keyframe = f.DTS
		}
		if m.sound >= 0 && m.heard {
			skew := m.soundDTS.Duration(m.tracks[m.sound].Clock) - f.DTS.Duration(track.Clock)
			m.skewMS = int(skew / time.Millisecond)
		}
	}
	m.mainDTS, m.mainSeen = f.DTS, true
}

// advance opens the slot of now and forgets those that are a minute old.
func (m *meter) advance(now time.Time) {
	if m.begin.IsZero() {
		m.begin, m.last = now, now
	}
	for target := int(now.Sub(m.begin) / slot); m.newest < target; {
		if target-m.newest > slots {
			m.newest = target - slots // longer silence than the ring remembers
			m.ring, m.bytes10s = [slots]slotCount{}, 0
		}
		m.newest++
		m.bytes10s -= m.back(10 * perSecond).bytes
		m.ring[m.newest%slots] = slotCount{media: m.mainDTS}
	}
}

// back returns the slot that is n slots old, or an empty one from before the beginning.
func (m *meter) back(n int) slotCount {
	if n > m.newest || n >= slots {
		return slotCount{}
	}
	return m.ring[(m.newest-n)%slots]
}

// exceeded returns why the broadcast must end, nil while it may go on.
func (m *meter) exceeded() *media.Refusal { return m.refusal }

func (m *meter) tooMuch() *media.Refusal {
	if int64(m.bytes10s)*8 > int64(m.limits.BitrateBPS)*10 {
		return &media.Refusal{Code: media.BitrateHigh, Detail: megabits(m.bytes10s * 8 / 10)}
	}
	if gap := m.runningGap(); gap > m.limits.KeyframeGap {
		return &media.Refusal{Code: media.KeyframeLong, Detail: seconds(gap)}
	}
	return nil
}

func (m *meter) runningGap() time.Duration {
	if !m.mainSeen || m.tracks[m.main].Kind != media.Video {
		return 0
	}
	return (m.mainDTS - m.keyframe).Duration(m.tracks[m.main].Clock)
}

// health returns what holds at now. It is called about once a second.
func (m *meter) health(now time.Time) media.Health {
	m.advance(m.pace.read(now)) // of what was not read yet nothing is known
	h := media.Health{
		At:         now,
		Silence:    now.Sub(m.last),
		BitrateBPS: m.bitrate(2 * time.Second),
		FPSMilli:   m.frameRate(),
		Keyframe:   max(m.gaps[0], m.gaps[1], m.gaps[2], m.runningGap()),
		SkewMS:     m.skewMS,
		Tracks:     m.tracks,
		SparkBPS:   m.spark(),
	}
	h.Warnings = m.warnings(now, h)
	return h
}

// sum adds the closed slots of the last d. Of a broadcast younger than that it returns the age instead of d.
func (m *meter) sum(d time.Duration) (total slotCount, over time.Duration) {
	n := min(int(d/slot), m.newest)
	for i := 1; i <= n; i++ {
		s := m.back(i)
		total.bytes += s.bytes
		total.pictures += s.pictures
	}
	return total, time.Duration(n) * slot
}

func (m *meter) bitrate(d time.Duration) int {
	total, over := m.sum(d)
	if over == 0 {
		return 0
	}
	return int(int64(total.bytes) * 8 * int64(time.Second) / int64(over))
}

func (m *meter) frameRate() int {
	total, over := m.sum(5 * time.Second)
	if over == 0 {
		return 0
	}
	return int(int64(total.pictures) * 1000 * int64(time.Second) / int64(over))
}

func (m *meter) spark() []int {
	out := make([]int, 60)
	for i := range out {
		for j := range perSecond {
			out[len(out)-1-i] += m.back(i*perSecond+j+1).bytes * 8
		}
	}
	return out
}

// warnings lists what the teacher can mend now, most urgent first. Since is when the condition was first seen.
func (m *meter) warnings(now time.Time, h media.Health) []media.Warning {
	var out []media.Warning
	add := func(code media.Code, detail string) {
		out = append(out, media.Warning{Code: code, Detail: detail})
	}
	if m.soundless(now, h) {
		add(media.AudioMissing, "")
	}
	if detail, starved := m.starved(h); starved {
		add(media.Starved, detail)
	}
	if h.Keyframe > keyframeWarn {
		add(media.KeyframeLong, seconds(h.Keyframe))
	}
	if h.BitrateBPS > m.limits.BitrateWarnBPS {
		add(media.BitrateHigh, megabits(h.BitrateBPS))
	}
	if !m.jumped.IsZero() && now.Sub(m.jumped) < jumpRemembered {
		add(media.TimestampsJump, "")
	}
	for _, w := range append(slices.Clone(m.notes), m.told...) {
		out = note(out, w.Code, w.Detail)
	}
	return m.stamp(now, out)
}

func (m *meter) stamp(now time.Time, warnings []media.Warning) []media.Warning {
	hold := make(map[media.Code]time.Time, len(warnings))
	for i, w := range warnings {
		since, ok := m.since[w.Code]
		if !ok {
			since = now
		}
		hold[w.Code], warnings[i].Since = since, since
	}
	m.since = hold
	return warnings
}

// soundless reports that pictures arrive and no sound has for a while.
func (m *meter) soundless(now time.Time, h media.Health) bool {
	heard := m.soundAt
	if heard.IsZero() {
		heard = m.begin
	}
	return h.Silence < silenceIsLoss && now.Sub(heard) >= soundMissing
}

// starved reports that less than nine tenths of real time arrived in the last seconds. The detail is how much
// arrives and how much would have to, in Mbit/s: "0.8 / 2.5".
func (m *meter) starved(h media.Health) (detail string, yes bool) {
	n := int(starvedWindow / slot)
	if m.newest < 2*n || h.Silence >= silenceIsLoss || !m.mainSeen {
		return "", false
	}
	arrived := (m.back(1).media - m.back(n+1).media).Duration(m.tracks[m.main].Clock)
	if arrived <= 0 || arrived*10 >= starvedWindow*9 {
		return "", false
	}
	rate := m.bitrate(starvedWindow)
	return megabits(rate) + " / " + megabits(int(int64(rate)*int64(starvedWindow/time.Millisecond)/max(1, int64(arrived/time.Millisecond)))), true
}

// megabits and seconds write a number for people with one digit after the point, rounded.
func megabits(bps int) string {
	return fmt.Sprintf("%d.%d", (bps+50_000)/1_000_000, (bps+50_000)/100_000%10)
}

func seconds(d time.Duration) string {
	tenths := (d + 50*time.Millisecond) / (100 * time.Millisecond)
	return fmt.Sprintf("%d.%d", tenths/10, tenths%10)
}

// Warn adds a condition that the connection noticed and that holds for the rest of the broadcast: sound in a
// codec that no browser plays. Call it after Start.
func (s *Session) Warn(code media.Code, detail string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.meter != nil {
		s.meter.tell(code, detail)
	}
}
