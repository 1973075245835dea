package main

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
)

//go:embed templates/*.html assets/*
var files embed.FS

var pages = parsePages()

func parsePages() map[string]*template.Template {
	set := map[string]*template.Template{}
	for _, name := range []string{"home", "procedure", "apply", "stepup", "profile", "choose", "local", "uselink", "problem",
		"number", "link", "who", "unlink", "identity", "rules", "dossiers", "dossier", "signins", "audit", "officer", "officerdossier"} {
		set[name] = template.Must(template.ParseFS(files, "templates/layout.html", "templates/"+name+".html"))
	}
	return set
}

// assetVersion changes the address of the style with its contents, so that it
// can be cached for long.
var assetVersion = func() string {
	css, err := files.ReadFile("assets/portal.css")
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(css)
	return hex.EncodeToString(sum[:4])
}()

// visit is one request on its way.
type visit struct {
	p         *portal
	w         http.ResponseWriter
	r         *http.Request
	lang      string
	here      string // where the language switch comes back to
	atTheDoor bool   // a sign-in page needs no Đăng nhập in its header
	session   *session
	account   *account
}

// view is what a page gets.
type view struct {
	Lang, Here, Title, Style string
	Login                    string // where Đăng nhập leads from this page, "" for no such link
	Account                  *account
	Officer                  bool     // may open the officers' pages now
	Role                     bool     // by a switch that can be undone
	Notices                  []string // text keys, told once
	D                        any
}

// T looks a text up in the language of the page.
func (v view) T(key string) string {
	t, ok := texts[key]
	if !ok {
		panic("no text " + key)
	}
	return v.L(t)
}

// L chooses from a text that comes in both languages.
func (v view) L(t text) string {
	if v.Lang == "en" {
		return t.EN
	}
	return t.VI
}

func (v view) Switch() string {
	to := "en"
	if v.Lang == "en" {
		to = "vi"
	}
	return withNext("/language/"+to, v.Here)
}

func (v *visit) view(title string, data any) view {
	vw := view{Lang: v.lang, Here: v.here, Title: title, Style: "/assets/portal.css?v=" + assetVersion, Account: v.account, D: data}
	if !v.atTheDoor {
		vw.Login = withNext("/login", wantedPage(v.here))
	}
	vw.Officer = v.officerName() != ""
	vw.Role = v.session != nil && v.session.officer != ""
	return vw
}

// render writes a page whose title is a text key.
func (v *visit) render(status int, page, titleKey string, data any) error {
	vw := v.view("", data)
	vw.Title = vw.T(titleKey)
	return v.write(status, page, vw)
}

// write fills a buffer first: a page that fails half way never leaves the house.
func (v *visit) write(status int, page string, vw view) error {
	if v.account != nil && v.session.notice != "" && status == http.StatusOK {
		for _, key := range strings.Split(v.session.notice, ",") {
			if _, ok := texts[key]; ok {
				vw.Notices = append(vw.Notices, key)
			}
		}
		if err := v.p.store.told(v.r.Context(), v.session); err != nil {
			return err
		}
	}
	var b bytes.Buffer
	if err := pages[page].ExecuteTemplate(&b, "layout", vw); err != nil {
		return fmt.Errorf("render %s: %w", page, err)
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.Header().Set("Content-Language", v.lang)
	v.w.WriteHeader(status)
	_, err := v.w.Write(b.Bytes())
	if err != nil {
		v.p.log.Debug("the browser went away", "err", err)
	}
	return nil
}

func withNext(to, next string) string {
	if next == "/" {
		return to
	}
	return to + "?next=" + url.QueryEscape(next)
}

func (p *portal) home(v *visit) error {
	q := tidy(v.r.URL.Query().Get("q"), 100)
	if v.r.URL.Query().Has("state") { // the way back from a sign-out is not an address to keep
		v.here = "/"
	}
	field := tidy(v.r.URL.Query().Get("field"), 60)
	found := findProcedures(q)
	if field != "" {
		found = slices.DeleteFunc(found, func(pr procedure) bool { return plain(pr.Field.VI) != plain(field) })
	}
	return v.render(http.StatusOK, "home", "site.name", struct {
		Query, Notice, Field string
		Fields               []text
		Found                []procedure
	}{q, p.signedOutNotice(v), field, fields, found})
}

func (p *portal) procedure(v *visit) error {
	pr, ok := procedureByCode(v.r.PathValue("code"))
	if !ok {
		return &problem{kind: "not_found"}
	}
	vw := v.view("", struct {
		procedure
		Demand demand
	}{pr, demands[pr.Code]})
	vw.Title = vw.L(pr.Name)
	return v.write(http.StatusOK, "procedure", vw)
}

func (p *portal) profile(v *visit) error {
	return v.render(http.StatusOK, "profile", "profile.title", personRows{v.account, v.session})
}

// choose is the dialog of seed 003 step 2.
func (p *portal) choose(v *visit) error {
	// The cookie of a sign-in belongs to one host name and the provider sends
	// people back to PORTAL_URL: who came by another name starts there.
	if !strings.EqualFold(v.r.Host, p.cfg.host()) {
		return v.redirect(p.cfg.URL + v.here)
	}
	next := wantedPage(v.r.URL.Query().Get("next"))
	if v.account != nil {
		return v.redirect(next)
	}
	v.atTheDoor = true
	return v.render(http.StatusOK, "choose", "choose.title", struct{ VNeID, Local string }{
		withNext("/login/vneid", next), withNext("/login/local", next)})
}

// language remembers the choice for a year. Vietnamese is the default whatever
// the browser prefers: most browsers here speak English and their owners do not.
func (p *portal) language(v *visit) error {
	to := v.r.PathValue("to")
	if to != "vi" && to != "en" {
		return &problem{kind: "not_found"}
	}
	p.setCookie(v.w, "lang", to, 365*24*time.Hour)
	return v.redirect(localPath(v.r.URL.Query().Get("next")))
}

func (p *portal) asset(v *visit) error {
	name := v.r.PathValue("file")
	b, err := files.ReadFile("assets/" + name)
	if err != nil {
		return &problem{kind: "not_found"}
	}
	kind := map[string]string{".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}[path.Ext(name)]
	v.w.Header().Set("Content-Type", kind)
	v.w.Header().Set("Cache-Control", "public, max-age=86400")
	_, err = v.w.Write(b)
	return err
}

// problem is an error with a page of its own. err and detail never hold a
// token, a code, a secret or a number of a person.
type problem struct {
	kind   string // a key of problems
	detail string // from outside; shown small, escaped, as a technical detail
	wanted string // the page the person was on the way to
	err    error  // for the log
}

func (pr *problem) Error() string {
	if pr.err == nil {
		return pr.kind
	}
	return pr.kind + ": " + pr.err.Error()
}

type problemView struct {
	Kind, Detail, Ref, Retry string
	Text                     problemText
}

// fail answers with the page of an error and logs it, the one place that does.
// The reference on the page finds the line in the log.
func (p *portal) fail(v *visit, err error) {
	var pr *problem
	if !errors.As(err, &pr) {
		pr = &problem{kind: "internal", err: err}
	}
	t, ok := problems[pr.kind]
	if !ok {
		t = problems["internal"]
	}
	ref := strings.ToUpper(hashed(secret())[:8])
	if pr.err != nil {
		p.log.Warn("problem", "kind", pr.kind, "ref", ref, "err", tidy(pr.err.Error(), 400))
	}
	pv := problemView{Kind: pr.kind, Detail: pr.detail, Ref: ref, Text: t}
	if t.retry {
		pv.Retry = withNext("/login", wantedPage(pr.wanted))
	}
	// Not back to a callback: its state is used up. Each text has an address.
	v.here = "/problem/" + pr.kind
	vw := v.view("", pv)
	vw.Title = vw.L(t.Title)
	if err := v.write(t.status, "problem", vw); err != nil {
		p.log.Error("the problem page failed", "err", err)
		http.Error(v.w, "MÔI TRƯỜNG THỬ NGHIỆM — KHÔNG NHẬP THÔNG TIN THẬT\n\nCổng đang gặp lỗi. / The portal has a problem.", http.StatusInternalServerError)
	}
}

// explainProblem shows the text of a problem again, for the language switch
// and for a link in a mail to the help desk. Nothing happens here.
func (p *portal) explainProblem(v *visit) error {
	kind := v.r.PathValue("kind")
	t, ok := problems[kind]
	if !ok {
		return &problem{kind: "not_found"}
	}
	pv := problemView{Kind: kind, Text: t}
	if t.retry {
		pv.Retry = "/login"
	}
	vw := v.view("", pv)
	vw.Title = vw.L(t.Title)
	return v.write(http.StatusOK, "problem", vw)
}

// personRows shows a person on the profile and on the sheet of a dossier.
type personRows struct {
	account *account
	session *session
}

func (r personRows) VNeID() bool     { return r.session.method == "vneid" }
func (r personRows) Claims() person  { return r.account.Claims }
func (r personRows) Acct() *account  { return r.account }
func (r personRows) Officer() bool   { return r.account.Role == "officer" }
func (r personRows) User() string    { return r.session.username }
func (r personRows) Subject() string { return shortened(r.session.sub) }
func (r personRows) Issuer() string  { return r.session.iss }
func (r personRows) ACR() string     { return r.session.acr }

func (r personRows) AMR() []text {
	var list []text
	for _, m := range strings.Fields(r.session.amr) {
		t, ok := authMethods[m]
		if !ok {
			t = text{m, m}
		}
		list = append(list, t)
	}
	return list
}

func (r personRows) SignedInAt() string   { return vietnamTime(r.session.signedIn) }
func (r personRows) AuthAt() string       { return vietnamTime(r.session.authTime) }
func (r personRows) Birthdate() string    { return personDate(r.account.Claims.Birthdate) }
func (r personRows) CCCD() string         { return masked(r.account.Claims.CCCD) }
func (r personRows) CMND() string         { return masked(r.account.Claims.CMND) }
func (r personRows) DeclaredCCCD() string { return masked(r.account.DeclaredCCCD) }
func (r personRows) DeclaredCMND() string { return masked(r.account.DeclaredCMND) }

// Phone is shown as people write it: +84950000001 → 0950000001.
func (r personRows) Phone() string {
	if rest, ok := strings.CutPrefix(r.account.Claims.Phone, "+84"); ok {
		return "0" + rest
	}
	return r.account.Claims.Phone
}

func shortened(s string) string {
	if len(s) > 16 {
		return s[:8] + "…" + s[len(s)-4:]
	}
	return s
}

// personDate is a date of birth as people write it: 15/03/1990, or 1960.
func personDate(iso string) string {
	if y, rest, ok := strings.Cut(iso, "-"); ok {
		m, d, _ := strings.Cut(rest, "-")
		return d + "/" + m + "/" + y
	}
	return iso // only the year is known
}

var vietnam = time.FixedZone("UTC+7", 7*60*60)

func vietnamTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(vietnam).Format("15:04:05 02/01/2006")
}

func vietnamDay(t time.Time) string { return t.In(vietnam).Format("02/01/2006") }

// Type is nil when the provider did not say.
func (r personRows) Type() *text {
	t, ok := personTypes[r.account.Claims.Type]
	if !ok {
		return nil
	}
	return &t
}
