package classroom

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/captions"
	"chalkcast/classroom/reports"
	"chalkcast/classroom/web"
	"chalkcast/templates"
)

// routes registers every address with what its reader must be. Those of one feature stand in the feature, in the
// same form; permissions_test.go holds all of them in one table, and fails for one that is not in it.
func (k *Classroom) routes() {
	s := k.Web

	// package accounts: /sign-in /sign-out /setup /settings…, /api/v1/session /api/v1/me
	k.Accounts.Register(s)
	// package courses: /courses/:id, /api/v1/courses…
	k.Courses.Register(s)
	// package attendance: /lessons/:id/register, /registers /courses/:id/matrix /api/v1/lessons/:id/beats …/register…
	k.Attendance.Routes(s)
	// package chat: /api/v1/lessons/:id/chat… …/questions… …/hand… …/polls… …/mutes
	k.Chat.Routes(s)
	// package reports: /api/v1/…/register.csv matrix.csv registers.csv summary.csv intervals.csv, and each as .xlsx
	reports.New(reports.Config{DB: k.cfg.DB, Accounts: k.Accounts, Attendance: k.Attendance, Now: k.now}).Routes(s)

	s.Handle("GET", "/", web.SignedIn, k.home)
	s.Handle("GET", "/today", web.Admin, k.today)
	s.Handle("GET", "/school", web.Admin, k.schoolPage)
	s.Handle("POST", "/school", web.Admin, k.postSchool, web.Strong())
	s.Handle("GET", "/privacy", web.Anyone, k.privacyPage)
	s.Handle("GET", "/audit", web.Admin, k.auditPage)
	s.Handle("GET", "/health", web.Admin, k.healthPage)
	s.Handle("POST", "/health", web.Admin, k.postHealth)
	s.Handle("GET", "/lessons/:id", web.CourseMember, k.watch)
	s.Handle("GET", "/lessons/:id/studio", web.CourseStaff, k.studio)
	s.Handle("POST", "/lessons/:id/live", web.CourseStaff, k.order(k.goLive))
	s.Handle("POST", "/lessons/:id/end", web.CourseStaff, k.order(k.end))
	s.Handle("POST", "/lessons/:id/extend", web.CourseStaff, k.order(k.extend))
	s.Handle("POST", "/lessons/:id/take-over", web.CourseStaff, k.order(k.takeOver))

	s.Handle("GET", "/courses/:id/timetable", web.CourseStaff, k.timetable)
	s.Handle("POST", "/courses/:id/timetable", web.CourseStaff, k.postLessons)
	s.Handle("GET", "/courses/:id/timetable/new", web.CourseStaff, k.newLessons)
	s.Handle("POST", "/courses/:id/begin", web.CourseStaff, k.postBegin)
	s.Handle("POST", "/series/:id/prolong", web.CourseStaff, k.postProlong)
	s.Handle("GET", "/lessons/:id/edit", web.CourseStaff, k.editPage)
	s.Handle("POST", "/lessons/:id/edit", web.CourseStaff, k.postEdit)
	s.Handle("POST", "/lessons/:id/cancel", web.CourseStaff, k.postCancel)
	s.Handle("POST", "/lessons/:id/restore", web.CourseStaff, k.postRestore)

	k.captionRoutes(s)
	s.Handle("GET", "/lessons/:id/calendar.ics", web.CourseMember, k.lessonCalendar)
	s.Handle("GET", "/calendar/:token", web.Anyone, k.calendarFeed) // the token says who
	s.Handle("GET", "/settings/obs", web.SignedIn, k.setUpOBS)
	s.Handle("GET", "/api/v1/me/encoder", web.SignedIn, k.apiEncoder)
	s.Handle("GET", "/api/v1/me/encoder/events", web.SignedIn, k.encoderEvents, web.Stream())
	s.Handle("GET", "/settings/calendar", web.SignedIn, k.calendarPage)
	s.Handle("POST", "/settings/calendar", web.SignedIn, k.postCalendar)

	k.lessonAPI(s)
	s.Handle("GET", "/api/v1/audit.csv", web.Admin, k.auditFile, web.Stream(), web.Strong())
	s.Handle("GET", "/api/v1/openapi.json", web.Anyone, k.openAPI)
	s.Handle("GET", "/api/v1/docs", web.Anyone, k.apiDocs)

	s.Handle("GET", "/manifest.webmanifest", web.Anyone, k.manifest)
	s.Handle("GET", "/healthz", web.Anyone, k.healthz)
	s.Handle("GET", "/readyz", web.Anyone, k.readyz)
}

// captionRoutes is what belongs to the captions of recordings.
func (k *Classroom) captionRoutes(s *web.Server) {
	s.Handle("GET", "/lessons/:id/captions", web.CourseStaff, k.captionsPage)
	s.Handle("POST", "/lessons/:id/captions", web.CourseStaff, k.postCaptions, web.Upload(captions.MaxBytes))
	s.Handle("POST", "/lessons/:id/captions/remove", web.CourseStaff, k.postRemoveCaptions)
	s.Handle("GET", "/api/v1/lessons/:id/captions/:lang", web.CourseMember, k.apiCaptions)
	s.Handle("POST", "/api/v1/lessons/:id/captions/:lang", web.CourseStaff, k.apiPutCaptions, web.Upload(captions.MaxBytes))
	s.Handle("DELETE", "/api/v1/lessons/:id/captions/:lang", web.CourseStaff, k.apiRemoveCaptions)
}

// manifest lets a phone keep the school on its home screen.
func (k *Classroom) manifest(c *gin.Context) error {
	school := k.Accounts.School()
	return web.JSON(c, http.StatusOK, templates.NewManifest(school.Name, school.Lang))
}

// healthz says that the program runs.
func (k *Classroom) healthz(c *gin.Context) error {
	return web.JSON(c, http.StatusOK, gin.H{"ok": true})
}

// lessonAPI is what programs ask about lessons and their series.
func (k *Classroom) lessonAPI(s *web.Server) {
	s.Handle("GET", "/api/v1/courses/:id/lessons", web.CourseMember, k.apiLessons)
	s.Handle("POST", "/api/v1/lessons", web.SignedIn, k.apiCreate, web.Body(8<<10)) // the course stands in the body
	s.Handle("GET", "/api/v1/courses/:id/series", web.CourseStaff, k.apiSeries)
	s.Handle("POST", "/api/v1/series", web.SignedIn, k.apiCreate, web.Body(8<<10)) // as above
	s.Handle("PATCH", "/api/v1/series/:id", web.CourseStaff, k.apiChangeSeries, web.Body(8<<10))
	s.Handle("POST", "/api/v1/series/:id/cancel", web.CourseStaff, k.apiCancelSeries, web.Body(8<<10))
	s.Handle("GET", "/api/v1/lessons/:id", web.CourseMember, k.apiLesson)
	s.Handle("GET", "/api/v1/lessons/:id/playback", web.CourseMember, k.apiPlayback)
	s.Handle("GET", "/api/v1/lessons/:id/events", web.CourseMember, k.events, web.Stream())
	s.Handle("GET", "/api/v1/lessons/:id/preview", web.CourseStaff, k.apiPreview)
	s.Handle("GET", "/api/v1/lessons/:id/health", web.CourseStaff, k.apiHealth)
	s.Handle("POST", "/api/v1/lessons/:id/live", web.CourseStaff, k.apiOrder(k.goLive))
	s.Handle("POST", "/api/v1/lessons/:id/end", web.CourseStaff, k.apiOrder(k.end))
	s.Handle("POST", "/api/v1/lessons/:id/extend", web.CourseStaff, k.apiOrder(k.extend))
	s.Handle("PATCH", "/api/v1/lessons/:id", web.CourseStaff, k.apiChange, web.Body(8<<10))
	s.Handle("POST", "/api/v1/lessons/:id/cancel", web.CourseStaff, k.apiCancel, web.Body(8<<10))
	s.Handle("POST", "/api/v1/lessons/:id/restore", web.CourseStaff, k.apiRestore, web.Body(8<<10))
	s.Handle("POST", "/api/v1/lessons/:id/take-over", web.CourseStaff, k.apiOrder(k.takeOver))
}

// readyz says that people can be served: the database answers.
func (k *Classroom) readyz(c *gin.Context) error {
	if err := k.cfg.DB.Ping(c.Request.Context()); err != nil {
		k.log.WarnContext(c.Request.Context(), "not ready", "err", err)
		return web.JSON(c, http.StatusServiceUnavailable, gin.H{"ok": false})
	}
	return web.JSON(c, http.StatusOK, gin.H{"ok": true})
}
