package chat

import (
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/courses"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/web"
	"chalkcast/media"
)

// maxBody bounds what a page sends: 500 characters, each escaped, and what stands around them.
const maxBody = 8 << 10

// Routes adds the feature's routes.
func (f *Chat) Routes(s *web.Server) {
	post := func(pattern string, need web.Need, p courses.Permission, do handler) {
		s.Handle("POST", "/api/v1/lessons/:id"+pattern, need, f.post(p, do), web.Body(maxBody))
	}
	s.Handle("GET", "/api/v1/lessons/:id/chat", web.CourseMember, f.apiRead)
	post("/chat", web.CourseMember, courses.TakePart, f.apiSay)
	post("/chat/settings", web.CourseStaff, courses.RunStudio, f.apiSet)
	post("/chat/:thing/remove", web.CourseStaff, courses.RunStudio, f.apiRemove)
	post("/mutes", web.CourseStaff, courses.RunStudio, f.apiMute)
	post("/questions", web.CourseMember, courses.TakePart, f.apiAsk)
	post("/questions/:thing/answer", web.CourseStaff, courses.RunStudio, f.apiAnswer)
	post("/questions/:thing/pin", web.CourseStaff, courses.RunStudio, f.apiPin)
	post("/hand", web.CourseMember, courses.TakePart, f.apiHand)
	post("/hands/lower", web.CourseStaff, courses.RunStudio, f.apiLowerAll)
	post("/hands/:thing/call", web.CourseStaff, courses.RunStudio, f.apiCall)
	post("/hands/:thing/lower", web.CourseStaff, courses.RunStudio, f.apiLower)
	post("/polls", web.CourseStaff, courses.RunStudio, f.apiOpenPoll)
	post("/polls/:thing/vote", web.CourseMember, courses.TakePart, f.apiVote)
	post("/polls/:thing/close", web.CourseStaff, courses.RunStudio, f.apiClosePoll)
}

// ReaderOf says what somebody in a course may see of its rooms.
func ReaderOf(a courses.Access) Reader {
	return Reader{User: a.Viewer.ID, Staff: a.May(courses.SeeStudio)}
}

// actor returns who asks, when they have a permission in the lesson of the path.
func (f *Chat) actor(c *gin.Context, p courses.Permission) (Actor, courses.Access, error) {
	id, err := web.ID(c, "id")
	if err != nil {
		return Actor{}, courses.Access{}, err
	}
	ctx := c.Request.Context()
	l, err := f.lessons.Find(ctx, id)
	if err != nil {
		return Actor{}, courses.Access{}, err
	}
	access, err := f.courses.Check(ctx, web.MustViewer(c), l.CourseID, p)
	if err != nil {
		return Actor{}, access, err
	}
	return Actor{User: access.Viewer.ID, Role: access.Role, Lesson: l}, access, nil
}

// handler does what was asked for and returns the id of what it made, 0 for nothing.
type handler func(c *gin.Context, a Actor) (media.ID, error)

// post is the way of everything that changes a room.
func (f *Chat) post(p courses.Permission, do handler) web.Handler {
	return func(c *gin.Context) error {
		if id, err := web.ID(c, "id"); err == nil { // before any query: a flood is cheap to refuse
			if err := f.act(id, web.MustViewer(c).ID); err != nil {
				return err
			}
		}
		a, _, err := f.actor(c, p)
		if err != nil {
			return err
		}
		id, err := do(c, a)
		if err != nil {
			return err
		}
		if id == 0 {
			return web.NoContent(c)
		}
		return web.JSON(c, http.StatusCreated, gin.H{"id": id})
	}
}

// apiRead returns a room as it stands, or with ?after= what changed since that number.
func (f *Chat) apiRead(c *gin.Context) error {
	a, access, err := f.actor(c, courses.Watch)
	if err != nil {
		return err
	}
	after, err := After(c.Query("after"))
	if err != nil {
		return err
	}
	n, err := f.read(c.Request.Context(), a.Lesson.ID, ReaderOf(access), after)
	if err != nil {
		return err
	}
	if n == nil {
		n = &News{Rev: after}
	}
	return web.JSON(c, http.StatusOK, n)
}

// After reads the number that a page saw last; none is Unseen.
func After(text string) (int64, error) {
	if text == "" {
		return Unseen, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, fault.Invalid("").At("after")
	}
	return n, nil
}

type textBody struct {
	Text  string `json:"text"`
	Nonce string `json:"nonce"`
}

func (f *Chat) apiSay(c *gin.Context, a Actor) (media.ID, error) {
	var in textBody
	if err := web.BindJSON(c, &in); err != nil {
		return 0, err
	}
	return f.Say(c.Request.Context(), a, in.Text, in.Nonce)
}

func (f *Chat) apiAsk(c *gin.Context, a Actor) (media.ID, error) {
	var in textBody
	if err := web.BindJSON(c, &in); err != nil {
		return 0, err
	}
	return f.Ask(c.Request.Context(), a, in.Text, in.Nonce)
}

func (f *Chat) apiSet(c *gin.Context, a Actor) (media.ID, error) {
	var in Room
	if err := web.BindJSON(c, &in); err != nil {
		return 0, err
	}
	return 0, f.Set(a, in.Mode, in.SlowS)
}

func (f *Chat) apiMute(c *gin.Context, a Actor) (media.ID, error) {
	var in struct {
		User  media.ID `json:"user_id"`
		Muted bool     `json:"muted"`
	}
	if err := web.BindJSON(c, &in); err != nil {
		return 0, err
	}
	return 0, f.Mute(c.Request.Context(), a, in.User, in.Muted)
}

func (f *Chat) apiRemove(c *gin.Context, a Actor) (media.ID, error) {
	return on(c, func(id media.ID) error { return f.Remove(a, id) })
}

func (f *Chat) apiAnswer(c *gin.Context, a Actor) (media.ID, error) {
	var in textBody
	if err := web.BindJSON(c, &in); err != nil {
		return 0, err
	}
	return on(c, func(id media.ID) error { return f.Answer(a, id, in.Text) })
}

func (f *Chat) apiPin(c *gin.Context, a Actor) (media.ID, error) {
	var in struct {
		Pinned bool `json:"pinned"`
	}
	if err := web.BindJSON(c, &in); err != nil {
		return 0, err
	}
	return on(c, func(id media.ID) error { return f.Pin(a, id, in.Pinned) })
}

func (f *Chat) apiHand(c *gin.Context, a Actor) (media.ID, error) {
	var in struct {
		Up bool `json:"up"`
	}
	if err := web.BindJSON(c, &in); err != nil {
		return 0, err
	}
	return 0, f.Raise(a, in.Up)
}

func (f *Chat) apiCall(c *gin.Context, a Actor) (media.ID, error) {
	return on(c, func(id media.ID) error { return f.Call(a, id) })
}

func (f *Chat) apiLower(c *gin.Context, a Actor) (media.ID, error) {
	return on(c, func(id media.ID) error { return f.Lower(a, id) })
}

func (f *Chat) apiLowerAll(c *gin.Context, a Actor) (media.ID, error) {
	return 0, f.Lower(a, 0)
}

func (f *Chat) apiOpenPoll(c *gin.Context, a Actor) (media.ID, error) {
	var in NewPoll
	if err := web.BindJSON(c, &in); err != nil {
		return 0, err
	}
	return f.OpenPoll(c.Request.Context(), a, in)
}

func (f *Chat) apiVote(c *gin.Context, a Actor) (media.ID, error) {
	var in struct {
		Choices []int `json:"choices"`
	}
	if err := web.BindJSON(c, &in); err != nil {
		return 0, err
	}
	return on(c, func(id media.ID) error { return f.Vote(a, id, in.Choices) })
}

func (f *Chat) apiClosePoll(c *gin.Context, a Actor) (media.ID, error) {
	return on(c, func(id media.ID) error { return f.ClosePoll(a, id) })
}

// on does something to the thing that the path names.
func on(c *gin.Context, do func(media.ID) error) (media.ID, error) {
	id, err := web.ID(c, "thing")
	if err != nil {
		return 0, err
	}
	return 0, do(id)
}
