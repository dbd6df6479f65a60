package courses

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/skip2/go-qrcode"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/web"
	"chalkcast/media"
	"chalkcast/templates"
)

// joinPath is where a class code leads.
func joinPath(code string) string { return "/join/" + code }

// joinURL is the same for paper, with the school's address.
func (f *Courses) joinURL(c *gin.Context, code string) string {
	base := strings.TrimSuffix(f.cfg.BaseURL, "/")
	if base == "" {
		base = "http://" + c.Request.Host
		if c.Request.TLS != nil {
			base = "https://" + c.Request.Host
		}
	}
	return base + joinPath(code)
}

// codeOnPage is the class code for those who may change it.
func (f *Courses) codeOnPage(c *gin.Context, course media.ID) (*templates.ClassCode, error) {
	code, err := f.JoinCode(c.Request.Context(), course)
	if err != nil {
		return nil, err
	}
	p := &templates.ClassCode{Code: code.Grouped(), Open: code.Open, Approve: code.Approve, Max: code.Max, Uses: code.Uses}
	if code.Code != "" {
		p.URL = f.joinURL(c, code.Code)
	}
	return p, nil
}

// postCode opens, closes, replaces and limits the class code.
func (f *Courses) postCode(c *gin.Context) error {
	a, err := f.access(c, Edit)
	if err != nil {
		return err
	}
	if err := web.Form(c); err != nil {
		return err
	}
	ctx, course := c.Request.Context(), a.Course.ID
	said := "settings.saved"
	switch web.Field(c, "do") {
	case "open":
		if err = a.Check(Enroll); err == nil { // not of an archived course
			err, said = f.OpenCode(ctx, a.Viewer.ID, course), "join.opened"
		}
	case "close":
		err, said = f.CloseCode(ctx, a.Viewer.ID, course), "join.closed"
	case "rotate":
		if err = a.Check(Enroll); err == nil {
			err, said = f.RotateCode(ctx, a.Viewer.ID, course), "join.rotated"
		}
	case "set":
		limit, bad := strconv.Atoi(strings.TrimSpace("0" + web.Field(c, "limit")))
		if bad != nil {
			limit = -1
		}
		err = f.SetCode(ctx, a.Viewer.ID, course, web.Field(c, "approve") != "", limit)
	default:
		err = fault.Invalid("").At("do")
	}
	if wrong, ok := fault.Of(err); ok && wrong.Key != "" {
		web.Flash(c, "bad", wrong.Key, wrong.Data)
	} else if err != nil {
		return err
	} else {
		web.Flash(c, "good", said, nil)
	}
	return web.Redirect(c, "/courses/"+course.String()+"#code")
}

// codePicture is the class code for a telephone's camera.
func (f *Courses) codePicture(c *gin.Context) error {
	a, err := f.access(c, Edit)
	if err != nil {
		return err
	}
	code, err := f.JoinCode(c.Request.Context(), a.Course.ID)
	if err != nil {
		return err
	}
	if code.Code == "" {
		return fault.NotFound("")
	}
	q, err := qrcode.New(f.joinURL(c, code.Code), qrcode.Medium)
	if err != nil {
		return fmt.Errorf("draw class code: %w", err)
	}
	c.Header("Cache-Control", "no-store")
	c.Data(http.StatusOK, "image/svg+xml", svg(q.Bitmap()))
	return nil
}

// svg draws the dark squares of a QR code, row by row, in black on white: cameras want it so in dark rooms too.
func svg(dark [][]bool) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %[1]d" shape-rendering="crispEdges">`+
		`<path fill="#fff" d="M0 0h%[1]dv%[1]dH0z"/><path d="`, len(dark))
	for y, row := range dark {
		for x := 0; x < len(row); x++ {
			from := x
			for x < len(row) && row[x] {
				x++
			}
			if x > from {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%[3]dz", from, y, x-from)
			}
		}
	}
	b.WriteString(`"/></svg>`)
	return []byte(b.String())
}

// askCode is for those who have the code on paper.
func (f *Courses) askCode(c *gin.Context) error {
	return f.showJoin(c, http.StatusOK, templates.Join{})
}

func (f *Courses) postAskCode(c *gin.Context) error {
	if err := web.Form(c); err != nil {
		return err
	}
	typed := web.Field(c, "code")
	if code := tidyCode(typed); code != "" {
		return web.Redirect(c, joinPath(code)) // there it is looked up, and counted when it is wrong
	}
	return f.showJoin(c, http.StatusNotFound, templates.Join{Code: cut(typed), Error: "join.no_code"})
}

// cut keeps what somebody typed fit for the field that it goes back into.
func cut(s string) string { return s[:min(len(s), 40)] }

// invited is the course of the path's code. shown means that the answer is out: a code that does not work gets a page
// on which another can be typed.
func (f *Courses) invited(c *gin.Context) (course Course, code JoinCode, shown bool, err error) {
	course, code, err = f.Invited(c.Request.Context(), c.Param("code"), web.ClientAddr(c))
	if wrong, ok := fault.Of(err); ok && wrong.Key != "" {
		return course, code, true, f.showJoin(c, wrong.Kind.Status(), templates.Join{Code: cut(c.Param("code")), Error: wrong.Key})
	}
	return course, code, false, err
}

func (f *Courses) joinPage(c *gin.Context) error {
	course, code, shown, err := f.invited(c)
	if shown || err != nil {
		return err
	}
	return f.showInvitation(c, http.StatusOK, course, code, templates.Join{})
}

// postJoin brings in who is signed in, and makes an account for who is not.
func (f *Courses) postJoin(c *gin.Context) error {
	course, code, shown, err := f.invited(c)
	if shown || err != nil {
		return err
	}
	ctx := c.Request.Context()
	if v := web.CurrentViewer(c); v != nil {
		standing, err := f.Join(ctx, course, code, v.ID)
		return f.afterJoin(c, course, code, standing, templates.Join{}, err)
	}
	if err := web.Form(c); err != nil {
		return err
	}
	p := templates.Join{Name: web.Field(c, "name"), Email: web.Field(c, "email")}
	s, err := f.SignUp(ctx, course, code, accounts.NewUser{
		DisplayName: p.Name, Email: p.Email, Password: media.Secret(web.Field(c, "password")), Lang: web.Lang(c),
	}, accounts.From{Addr: web.ClientAddr(c), Replaces: web.SessionToken(c), Agent: c.Request.UserAgent()})
	if fault.Is(err, fault.KindConflict) {
		f.cfg.Accounts.GuessedWrong(web.ClientAddr(c)) // whoever tries out addresses runs out of tries
	}
	if err == nil {
		web.SetSession(c, string(s.Token), s.Life)
	}
	standing := Waiting
	if !code.Approve {
		standing = Inside
	}
	return f.afterJoin(c, course, code, standing, p, err)
}

func (f *Courses) afterJoin(c *gin.Context, course Course, code JoinCode, standing Standing, p templates.Join, err error) error {
	wrong, ok := fault.Of(err)
	switch {
	case ok && wrong.Field != "":
		p.Errors = map[string]string{wrong.Field: wrong.Key}
		return f.showInvitation(c, wrong.Kind.Status(), course, code, p)
	case ok && wrong.Key != "":
		p.Error = wrong.Key
		return f.showInvitation(c, wrong.Kind.Status(), course, code, p)
	case err != nil:
		return err
	case standing == Inside:
		web.Flash(c, "good", "join.inside", map[string]any{"Course": course.Title})
		return web.Redirect(c, "/courses/"+course.ID.String())
	}
	return web.Redirect(c, joinPath(code.Code))
}

func (f *Courses) showInvitation(c *gin.Context, status int, course Course, code JoinCode, p templates.Join) error {
	ctx := c.Request.Context()
	members, err := f.Members(ctx, course.ID)
	if err != nil {
		return err
	}
	for _, m := range members {
		if m.Role == Teacher {
			p.Teachers = append(p.Teachers, m.DisplayName)
		}
	}
	p.Code, p.Course, p.Short, p.CourseID = code.Code, course.Title, course.Code, course.ID.String()
	p.Standing = string(Outside)
	if v := web.CurrentViewer(c); v != nil {
		standing, err := f.StandingIn(ctx, course.ID, v.ID)
		if err != nil {
			return err
		}
		p.Standing = string(standing)
	}
	return f.showJoin(c, status, p)
}

func (f *Courses) showJoin(c *gin.Context, status int, p templates.Join) (err error) {
	if p.Page, err = web.NewPage(c, ""); err != nil {
		return err
	}
	return web.Render(c, status, p)
}
