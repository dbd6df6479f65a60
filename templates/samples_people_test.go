package templates_test

import (
	"fmt"
	"strings"
	"time"

	"chalkcast/templates"
)

var working = templates.Outbox{On: true, Waiting: 2}

func allPeople(n int) templates.People {
	p := templates.People{
		Page: page("admin"), States: []string{"active", "invited", "disabled", "erased"}, All: 1304, First: 101, Last: 100 + n,
		Back: "skip=0", Forth: "skip=200", Outbox: working, FactorRule: true, Text: "ta", Role: "student",
	}
	p.Here = "people"
	for i := range n {
		_, _, name := person(i)
		r := templates.PersonRow{
			ID: fmt.Sprintf("%013d", i), Name: name, StudentID: fmt.Sprintf("%06d", 20413+i*7), Studies: true, State: "active",
			Email: fmt.Sprintf("s%06d@school.example", 20413+i*7),
		}
		switch i % 13 {
		case 3:
			r.State = "invited"
		case 5:
			r.State, r.Email = "disabled", ""
		case 7:
			r.Admin, r.Teaches, r.StudentID = true, true, ""
		case 9:
			r.Name, r.State, r.Email, r.StudentID, r.Studies = "Removed student 7F3A", "erased", "", "", false
		case 11:
			r.Email = "a.very.long.address.of.somebody.who.has.two.names@students.queenstown-lakes.school.example"
		}
		p.Rows = append(p.Rows, r)
	}
	return p
}

func account(state string) templates.Account {
	a := templates.Account{
		Page: page("admin"), Since: now.AddDate(0, -7, 0), Invited: now.AddDate(0, 0, -2), Given: "Nur Aisyah binti", Family: "Rahman",
		PersonRow: templates.PersonRow{ID: "0000000000007", Name: "Nur Aisyah binti Rahman", Email: "aisyah@school.example", StudentID: "020413", Studies: true, State: state},
		Outbox:    working,
	}
	a.Here = "people"
	switch state {
	case "active":
		a.LastSeen, a.Sessions, a.Factor, a.Teaches = now.Add(-3*time.Hour), 2, true, true
		a.NewLink, a.NewLinkFor = "https://school.example/sign-in/reset?token=AbCdEfGhIjKlMnOpQrStUv", "reset"
	case "invited":
		a.Errors = map[string]string{"email": "setup.email_bad", "name": "field.missing"}
	case "disabled":
		a.Disabled, a.Errors = now.AddDate(0, 0, -1), map[string]string{"sure": "account.erase_tick"}
	case "erased":
		a.Name, a.Email, a.StudentID, a.Studies, a.Given, a.Family = "Removed student 7F3A", "", "", false, "", ""
	}
	return a
}

func sheet(n int) templates.Sheet {
	s := templates.Sheet{Page: page("admin"), Until: now.AddDate(0, 0, 7)}
	for i := range n {
		_, _, name := person(i)
		s.Links = append(s.Links, templates.SheetLink{
			Name: name, StudentID: fmt.Sprintf("%06d", 20413+i*7), URL: "https://queenstown-lakes.school.example/sign-in/link?token=" + strings.Repeat("Ab3", 7) + string('A'+rune(i%26)),
		})
	}
	return s
}

// peopleSamples are the pages of people and of the doors that only one person gets through.
func peopleSamples() map[string]any {
	door := templates.Page{School: "Queenstown Lakes School", Now: now}
	inside := page("admin")
	inside.Here = "settings"
	down, off, alone := allPeople(100), allPeople(3), allPeople(0)
	down.Outbox = templates.Outbox{On: true, Waiting: 17, Failing: at("09:40:00")}
	off.Outbox, off.FactorRule, off.HasFactor, off.Invite = templates.Outbox{}, false, true, true
	off.Back, off.Forth, off.All, off.First, off.Last = "", "", 3, 1, 3
	off.Errors, off.Email, off.Name = map[string]string{"email": "user.taken"}, "ada@school.example", "Ada"
	alone.All = 0
	return map[string]any{
		"by-mail":            templates.SignInMail{Page: door, Email: "aisyah@school.example"},
		"by-mail-asked":      templates.SignInMail{Page: door, Email: "aisyah@school.example", Asked: true},
		"by-mail-off":        templates.SignInMail{Page: door, Off: true},
		"code":               templates.SignInCode{Page: door, Token: "t", Next: "/", Error: "factor.code_wrong"},
		"reset":              templates.ChoosePassword{Page: door, Token: "t", Name: "田中 美咲", Email: "tanaka@school.example", Errors: map[string]string{"password": "setup.password_common"}},
		"invitation":         templates.ChoosePassword{Page: door, Token: "t", Invited: true, Name: "Nur Aisyah binti Rahman", Email: "aisyah@school.example"},
		"people":             allPeople(100),
		"people-mail-down":   down,
		"people-mail-off":    off,
		"people-none":        alone,
		"account":            account("active"),
		"account-invited":    account("invited"),
		"account-disabled":   account("disabled"),
		"account-erased":     account("erased"),
		"sheet":              sheet(304),
		"factor":             templates.SecondFactor{Page: inside, Needed: true},
		"factor-begun":       templates.SecondFactor{Page: inside, Secret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", URL: "otpauth://totp/Queenstown%20Lakes%20School:ada@school.example?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Queenstown%20Lakes%20School", Error: "factor.code_wrong", ErrorOf: "confirm"},
		"factor-codes":       templates.SecondFactor{Page: inside, On: true, Codes: []string{"abcd-efgh-ijkl-mnop", "qrst-uvwx-yz23-4567", "abcd-efgh-ijkl-mnop", "qrst-uvwx-yz23-4567", "abcd-efgh-ijkl-mnop"}},
		"factor-on":          templates.SecondFactor{Page: inside, On: true, Left: 9, Needed: true, Error: "factor.code_wrong", ErrorOf: "remove"},
		"error-factor":       templates.ErrorPage{Page: inside, Status: 403, Key: "factor.needed"},
		"sign-in-with-mails": templates.SignIn{Page: door, Mails: true},
	}
}
