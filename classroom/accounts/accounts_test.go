package accounts_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/audit"
	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/classroom/fault"
	"chalkcast/media"
)

func TestModels(t *testing.T) { databasetest.Models(t, accounts.Models()...) }

func TestCreate(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		o := open(t, db)
		u, err := o.Create(t.Context(), 0, accounts.NewUser{Email: " Zoe\u0308.Müller@School.Example ", GivenName: "Zoe\u0308", FamilyName: "Müller", StudentID: "007", Password: password})
		if err != nil {
			t.Fatal(err)
		}
		if u.Email != "zoë.müller@school.example" || u.DisplayName != "Zoë Müller" || u.StudentID != "007" || u.Admin || !u.CreatedAt.Equal(monday) {
			t.Errorf("created %+v", u)
		}
		got, err := o.UserByEmail(t.Context(), "ZOË.müller@school.example")
		if err != nil || got != u {
			t.Errorf("read back %+v, %v; want %+v", got, err, u)
		}
		for what, n := range map[string]accounts.NewUser{
			"same address":    {Email: "zoë.MÜLLER@school.example", DisplayName: "Other"},
			"same student id": {StudentID: "007", DisplayName: "Other"},
		} {
			if _, err := o.Create(t.Context(), 0, n); !fault.Is(err, fault.KindConflict) {
				t.Errorf("%s: %v, want a conflict", what, err)
			}
		}
		for range 2 { // nobody is the same as nobody
			if _, err := o.Create(t.Context(), 0, accounts.NewUser{DisplayName: "李雷"}); err != nil {
				t.Errorf("without address and number: %v", err)
			}
		}
		if _, err := o.UserByEmail(t.Context(), "nobody@school.example"); !errors.Is(err, database.ErrNotFound) {
			t.Errorf("unknown address: %v", err)
		}
		if n, err := audit.Verify(t.Context(), db); n != 3 || err != nil {
			t.Errorf("audit: %d lines, %v; want 3", n, err)
		}
	})
}

func TestCreateRefuses(t *testing.T) {
	o := openNew(t)
	if err := o.SetSchool(t.Context(), 0, "Grove School 2026", "Europe/Berlin", "en"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		n     accounts.NewUser
		key   string
		field string
	}{
		{accounts.NewUser{DisplayName: " "}, "field.missing", "name"},
		{accounts.NewUser{DisplayName: strings.Repeat("x", 101)}, "field.too_long", "name"},
		{accounts.NewUser{DisplayName: "a\nb"}, "field.bad_text", "name"},
		{accounts.NewUser{DisplayName: "A", Email: "a@b\r\nBcc: x"}, "setup.email_bad", "email"},
		{accounts.NewUser{DisplayName: "A", Password: "1234567"}, "setup.password_short", "password"},
		{accounts.NewUser{DisplayName: "A", Password: "ééééééé"}, "setup.password_short", "password"},
		{accounts.NewUser{DisplayName: "A", Password: "Password1"}, "setup.password_common", "password"},
		{accounts.NewUser{DisplayName: "A", Password: "iloveyou"}, "setup.password_common", "password"},
		{accounts.NewUser{DisplayName: "A", Password: "grove school 2026"}, "setup.password_common", "password"},
		{accounts.NewUser{DisplayName: "Ada Lovelace", Password: "ada lovelace"}, "setup.password_common", "password"},
		{accounts.NewUser{DisplayName: "A", Email: "ada.lovelace@x.example", Password: "Ada.Lovelace"}, "setup.password_common", "password"},
		{accounts.NewUser{DisplayName: "A", Password: media.Secret(strings.Repeat("x", 1025))}, "field.too_long", "password"},
		{accounts.NewUser{DisplayName: "A", Password: media.Secret(strings.Repeat("correct horse ", 70))}, "", ""},
	} {
		_, err := o.Create(t.Context(), 0, c.n)
		f, _ := fault.Of(err)
		if c.key == "" && err != nil || c.key != "" && (f == nil || f.Key != c.key || f.Field != c.field) {
			t.Errorf("%+v: %v, want %s at %s", c.n, err, c.key, c.field)
		}
	}
}

func TestCheckEmail(t *testing.T) {
	for in, want := range map[string]string{
		"":                              "",
		"  ":                            "",
		"ada@school.example":            "ada@school.example",
		"Ada@School.Example":            "ada@school.example",
		"a+b.c'd@x":                     "a+b.c'd@x",
		"李雷@学校.example":                 "李雷@学校.example",
		"ada":                           "!",
		"@school.example":               "!",
		"ada@":                          "!",
		"a@b@c":                         "!",
		"a b@c":                         "!",
		"a@b\r\nBcc: x":                 "!",
		"a@b,c@d":                       "!",
		"<a@b>":                         "!",
		"a@.b":                          "!",
		"a@b.":                          "!",
		"a@-b":                          "!",
		"a\x00@b":                       "!",
		"a\u202e@b":                     "!",
		strings.Repeat("a", 65) + "@b":  "!",
		"a@" + strings.Repeat("b", 255): "!",
	} {
		got, err := accounts.CheckEmail(in)
		if want == "!" && err == nil || want != "!" && (err != nil || got != want) {
			t.Errorf("checkEmail(%.40q) = %q, %v; want %q", in, got, err, want)
		}
	}
}

func FuzzCheckEmail(f *testing.F) {
	f.Add("ada@school.example")
	f.Add("a@b\r\nBcc: x")
	f.Fuzz(func(t *testing.T, in string) {
		got, err := accounts.CheckEmail(in)
		if err != nil {
			return
		}
		if strings.ContainsAny(got, "\r\n\t <>,;\"\x00") || len(got) > 254 {
			t.Errorf("checkEmail(%q) lets %q through", in, got)
		}
		if again, err := accounts.CheckEmail(got); err != nil || again != got {
			t.Errorf("checkEmail(%q) = %q is not its own folding: %q, %v", in, got, again, err)
		}
	})
}

func TestLastAdminStays(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		o := open(t, db)
		ada := o.add(t, "ada@x.example", true)
		for what, err := range map[string]error{
			"disable":  o.Disable(t.Context(), 0, ada.ID),
			"no admin": o.SetAdmin(t.Context(), 0, ada.ID, false),
		} {
			if f, ok := fault.Of(err); !ok || f.Key != "user.last_admin" {
				t.Errorf("%s the last admin: %v", what, err)
			}
		}
		bob := o.add(t, "bob@x.example", true)
		if err := o.Disable(t.Context(), bob.ID, ada.ID); err != nil {
			t.Errorf("disable one of two: %v", err)
		}
		if err := o.Disable(t.Context(), 0, bob.ID); !fault.Is(err, fault.KindConflict) {
			t.Errorf("a disabled admin counted as one: %v", err)
		}
		if err := o.Disable(t.Context(), 0, media.NewID()); !errors.Is(err, database.ErrNotFound) {
			t.Errorf("disable nobody: %v", err)
		}
	})
}

func TestManyPeopleWithOneHash(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		o := open(t, db)
		hash, err := o.HashPassword(t.Context(), password)
		if err != nil {
			t.Fatal(err)
		}
		list := make([]accounts.NewUser, 304)
		for i := range list {
			list[i] = accounts.NewUser{Email: "s" + media.NewID().String() + "@x.example", DisplayName: "Student", PasswordHash: hash}
		}
		users, err := o.CreateMany(t.Context(), 0, list)
		if err != nil || len(users) != 304 || users[303].Email != list[303].Email {
			t.Fatalf("created %d: %v", len(users), err)
		}
		if _, _, err := o.SignIn(t.Context(), users[200].Email, password, accounts.From{Addr: home}); err != nil {
			t.Errorf("sign in as one of them: %v", err)
		}
		all, err := o.Users(t.Context(), 0, 1000)
		if err != nil || len(all) != 304 || all[0].ID >= all[1].ID {
			t.Errorf("%d listed: %v", len(all), err)
		}
		list[0].Email, list[1].Email, list[300].Email = "new@x.example", "new2@x.example", users[5].Email
		if _, err := o.CreateMany(t.Context(), 0, list); !fault.Is(err, fault.KindConflict) {
			t.Errorf("a list with one who is there already: %v", err)
		}
		if _, err := o.UserByEmail(t.Context(), "new@x.example"); !errors.Is(err, database.ErrNotFound) {
			t.Errorf("half a list was created: %v", err)
		}
	})
}

func TestStreamKeys(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		o := open(t, db)
		ada, bob := o.add(t, "ada@x.example", true), o.add(t, "bob@x.example", true)
		var ended []string
		o.OnRevoke(func(id string) { ended = append(ended, id) })
		laptop, err := o.CreateKey(t.Context(), ada.ID, "laptop")
		if err != nil {
			t.Fatal(err)
		}
		room, err := o.CreateKey(t.Context(), ada.ID, "room 4")
		if err != nil {
			t.Fatal(err)
		}
		code := func(k media.Key, wantUser media.ID) media.Code {
			t.Helper()
			owner, err := o.FindByKey(t.Context(), k)
			if owner.User != wantUser {
				t.Errorf("owner %v, want %v", owner.User, wantUser)
			}
			if err == nil {
				return ""
			}
			r, ok := errors.AsType[*media.Refusal](err)
			if !ok {
				t.Fatal(err)
			}
			return r.Code
		}
		wrong := media.Key{ID: laptop.ID, Secret: room.Secret}
		if got := code(laptop, ada.ID); got != "" {
			t.Errorf("good key: %s", got)
		}
		if got := code(wrong, ada.ID); got != media.KeyWrong {
			t.Errorf("wrong secret: %s", got)
		}
		if got := code(media.NewKey(), 0); got != media.KeyWrong {
			t.Errorf("unknown key: %s", got)
		}
		if got := code(media.Key{}, 0); got != media.KeyWrong {
			t.Errorf("no key: %s", got)
		}

		if err := o.RevokeKey(t.Context(), bob.ID, laptop.ID); !fault.Is(err, fault.KindNotFound) {
			t.Errorf("revoke another's key: %v", err)
		}
		if err := o.RevokeKey(t.Context(), ada.ID, laptop.ID); err != nil {
			t.Fatal(err)
		}
		if err := o.RevokeKey(t.Context(), ada.ID, laptop.ID); !fault.Is(err, fault.KindNotFound) {
			t.Errorf("revoke twice: %v", err)
		}
		if len(ended) != 1 || ended[0] != laptop.ID {
			t.Errorf("told of %q, want the one revoked", ended)
		}
		if got := code(laptop, ada.ID); got != media.KeyRevoked {
			t.Errorf("revoked key: %s", got)
		}
		if got := code(wrong, ada.ID); got != media.KeyWrong {
			t.Errorf("revoked key with a wrong secret: %s, which tells that it is revoked", got)
		}

		o.clock.pass(time.Hour)
		if err := o.KeyUsed(t.Context(), room.ID); err != nil {
			t.Fatal(err)
		}
		keys, err := o.Keys(t.Context(), ada.ID)
		if err != nil || len(keys) != 2 {
			t.Fatalf("keys: %+v, %v", keys, err)
		}
		for _, k := range keys {
			if (k.ID == laptop.ID) != !k.RevokedAt.IsZero() || (k.ID == room.ID) != k.UsedAt.Equal(monday.Add(time.Hour)) {
				t.Errorf("key %+v", k)
			}
		}

		if err := o.Disable(t.Context(), bob.ID, ada.ID); err != nil {
			t.Fatal(err)
		}
		if got := code(room, ada.ID); got != media.KeyRevoked {
			t.Errorf("key of a disabled person: %s", got)
		}
		if len(ended) != 3 { // both keys once more
			t.Errorf("told of %q after disabling", ended)
		}
	})
}

func TestKeysAreBounded(t *testing.T) {
	o := openNew(t)
	ada := o.add(t, "ada@x.example", true)
	for range 20 {
		if _, err := o.CreateKey(t.Context(), ada.ID, "k"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := o.CreateKey(t.Context(), ada.ID, "k"); !fault.Is(err, fault.KindConflict) {
		t.Errorf("21st key: %v", err)
	}
	for _, name := range []string{"", " ", strings.Repeat("x", 41)} {
		if _, err := o.CreateKey(t.Context(), ada.ID, name); !fault.Is(err, fault.KindInvalid) {
			t.Errorf("key called %q: %v", name, err)
		}
	}
}
