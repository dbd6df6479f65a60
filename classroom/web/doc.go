// Package web is the door of the classroom wing: it turns HTTP requests into calls of handlers that return an
// error, and what they return into pages, problem+json (RFC 9457) or an aborted connection. It knows no feature
// and no database; accounts tells it who a session token belongs to.
//
//	Handler()  gzip ─► gin ─► metrics and slow log ─► panics ─► security headers ─► body limit
//	           ─► cross-origin check ─► who is it (Identify) ─► may they (Need) ─► the feature's Handler
//
// A feature registers its routes with Handle, saying for each what the reader needs to be; Routes lists them all
// with that need, and the permissions test of package classroom walks that list. Needs above SignedIn are words
// for that test: the rule itself stands in the handler, next to the data (courses.Access).
//
//	srv.Handle("POST", "/api/v1/courses", web.SignedIn, f.createCourse, web.Body(8<<10))
//
//	func (f *Courses) createCourse(c *gin.Context) error {
//		var in struct{ Code, Title string }
//		if err := web.BindJSON(c, &in); err != nil {
//			return err
//		}
//		…
//		return web.JSON(c, http.StatusCreated, out)
//	}
//
// Inside a handler: Viewer and Lang say who reads and in which language, NewPage begins a page struct, Render
// and JSON send, Redirect and Flash answer a form, ID and Line read what was sent, OpenStream begins server-sent
// events. Wait on c.Request.Context(), never on the gin context, which is not cancelled.
//
// Promises: a page is rendered to a buffer before the first byte goes out; a handler that fails after that
// aborts the connection, so nobody mistakes half an answer for a whole one. Unsafe methods are refused when a
// browser says that another site sent them (net/http.CrossOriginProtection) and are the only ones that change
// state. Client addresses come from the connection, or from the headers of proxies that are configured by
// address. Paths are logged as route patterns, addresses as networks; tokens, forms and queries never are.
//
// Limits: headers 16 KiB, header read 5 s, body read 30 s, answer 30 s (streams: each write 10 s), idle 75 s,
// body 64 KiB unless the route says otherwise, JSON 32 levels deep and without duplicate names.
//
// The package starts no goroutine; all functions are safe for concurrent use, registration happens before serving.
package web
