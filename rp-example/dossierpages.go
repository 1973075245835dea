package main

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

type applyView struct {
	Procedure procedure
	Person    personRows
	Form      dossierForm
	Once      string
	Lacks     shortfall
	Kept      bool   // what was typed before a detour is here again
	Wrong     string // the field to correct
	Message   string
	Ways      []returnWay
}

type returnWay struct {
	Value string
	Text  text
}

func (a applyView) Bad(field string) bool { return a.Wrong == field }

// apply is Nộp hồ sơ: the form, or why this sign-in is not enough for it.
func (p *portal) apply(v *visit) error {
	pr, ok := procedureByCode(v.r.PathValue("code"))
	if !ok {
		return &problem{kind: "not_found"}
	}
	form, kept, err := p.store.draft(v.r.Context(), v.session.id, pr.Code)
	if err != nil {
		return err
	}
	if !kept && v.session.method == "vneid" {
		rows := personRows{account: v.account, session: v.session}
		form.Phone, form.Address = rows.Phone(), v.account.Claims.Address
	}
	return p.showApply(v, http.StatusOK, applyView{Procedure: pr, Form: form, Kept: kept, Once: secret()})
}

func (p *portal) showApply(v *visit, status int, a applyView) error {
	a.Person, a.Lacks = personRows{account: v.account, session: v.session}, p.shortfallOf(v, demands[a.Procedure.Code])
	for _, w := range returnWays {
		a.Ways = append(a.Ways, returnWay{w, returnTexts[w]})
	}
	if a.Form.Return == "" {
		a.Form.Return = returnWays[0]
	}
	page := "apply"
	if a.Lacks.Any() {
		page = "stepup"
	}
	v.here = "/procedures/" + a.Procedure.Code + "/apply"
	vw := v.view("", a)
	vw.Title = vw.T("apply.title")
	if page == "stepup" {
		vw.Title = vw.T("stepup.title")
	}
	return v.write(status, page, vw)
}

var phoneShape = regexp.MustCompile(`^(0|\+84)[0-9]{9}$`)

// file takes a dossier. Whatever stands in the way, what was typed is kept
// first: no sign-in, an expired session, a level that is too low, a mistake.
func (p *portal) file(v *visit) error {
	ctx := v.r.Context()
	pr, ok := procedureByCode(v.r.PathValue("code"))
	if !ok {
		return &problem{kind: "not_found"}
	}
	posted, err := v.form()
	if err != nil {
		return err
	}
	f := readDossierForm(posted)
	if v.account == nil {
		if err := p.ensureSession(v); err != nil {
			return err
		}
	}
	if err := p.store.keepDraft(ctx, v.session.id, pr.Code, f); err != nil {
		return err
	}
	here := "/procedures/" + pr.Code + "/apply"
	if v.account == nil {
		return v.redirect(withNext("/login", here))
	}
	a := applyView{Procedure: pr, Form: f, Once: posted.Get("once")}
	if len(a.Once) != 43 {
		a.Once = secret()
	}
	if p.shortfallOf(v, demands[pr.Code]).Any() {
		a.Kept = true
		return p.showApply(v, http.StatusForbidden, a)
	}
	if a.Wrong, a.Message = f.mistake(); a.Wrong != "" {
		return p.showApply(v, http.StatusUnprocessableEntity, a)
	}
	id, err := p.store.file(ctx, v.session.id, dossier{AccountID: v.account.ID, Applicant: v.account.Name, Procedure: pr, Form: f, Verified: v.session.method == "vneid"}, hashed(v.account.ID+a.Once))
	if err != nil {
		return err
	}
	return p.toldAt(v, "/dossiers/"+id, "notice.filed")
}

func readDossierForm(q url.Values) dossierForm {
	f := dossierForm{Subject: tidy(q.Get("subject"), 200), Details: tidyLines(q.Get("details"), 4000),
		Phone: tidy(q.Get("phone"), 30), Return: q.Get("return"), Address: tidy(q.Get("address"), 200)}
	if !slices.Contains(returnWays, f.Return) {
		f.Return = returnWays[0]
	}
	return f
}

// tidyLines is tidy for a text of several lines.
func tidyLines(s string, limit int) string {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i := range lines {
		lines[i] = tidy(lines[i], limit)
	}
	s = strings.TrimSpace(strings.Join(lines, "\n"))
	if r := []rune(s); len(r) > limit {
		s = string(r[:limit-1]) + "…"
	}
	return s
}

func (f dossierForm) mistake() (field, message string) {
	phone := strings.NewReplacer(" ", "", ".", "", "-", "").Replace(f.Phone)
	switch {
	case f.Subject == "":
		return "subject", "apply.wrongSubject"
	case !phoneShape.MatchString(phone):
		return "phone", "apply.wrongPhone"
	case f.Return == "post" && f.Address == "":
		return "address", "apply.wrongAddress"
	}
	return "", ""
}

func (p *portal) dossiers(v *visit) error {
	list, err := p.store.dossiersOf(v.r.Context(), v.account.ID, "", "")
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, "dossiers", "dossiers.title", struct{ List []dossier }{list})
}

// dossier shows one's own only; somebody else's looks like none at all.
func (p *portal) dossier(v *visit) error {
	d, err := p.store.dossierByID(v.r.Context(), v.r.PathValue("id"), v.account.ID)
	if err != nil {
		return err
	}
	if d == nil {
		return &problem{kind: "not_found"}
	}
	vw := v.view("", struct{ Dossier *dossier }{d})
	vw.Title = d.ID
	return v.write(http.StatusOK, "dossier", vw)
}

// officerName is the officer's account this session acts for: signed in with
// it, or switched to. Never what a claim says.
func (v *visit) officerName() string {
	switch {
	case v.session == nil || v.account == nil:
		return ""
	case v.session.method == "local" && v.account.Role == "officer":
		return v.session.username
	}
	return v.session.officer
}

func (p *portal) officer(do func(*visit) error) func(*visit) error {
	return p.signedIn(func(v *visit) error {
		if v.officerName() == "" {
			return &problem{kind: "officers_only", err: errors.New("not an officer")}
		}
		return do(v)
	})
}

type officerList struct {
	Status, Query string
	Statuses      []statusChoice
	List          []dossier
}

type statusChoice struct {
	Value  string
	Text   text
	Chosen bool
}

func (p *portal) officerDossiers(v *visit) error {
	q := v.r.URL.Query()
	f := officerList{Status: q.Get("status"), Query: tidy(q.Get("q"), 100)}
	if !slices.Contains(statusOrder, f.Status) {
		f.Status = ""
	}
	for _, s := range statusOrder {
		f.Statuses = append(f.Statuses, statusChoice{s, statusTexts[s], s == f.Status})
	}
	var err error
	if f.List, err = p.store.dossiersOf(v.r.Context(), "", f.Status, f.Query); err != nil {
		return err
	}
	return v.render(http.StatusOK, "officer", "officer.title", f)
}

type officerDossierView struct {
	Dossier *dossier
	Choices []statusChoice
	Message string
	Own     bool // nobody decides about a dossier of their own
}

func (p *portal) officerDossier(v *visit) error { return p.showOfficerDossier(v, http.StatusOK, "") }

func (p *portal) showOfficerDossier(v *visit, status int, message string) error {
	d, err := p.store.dossierByID(v.r.Context(), v.r.PathValue("id"), "")
	if err != nil {
		return err
	}
	if d == nil {
		return &problem{kind: "not_found"}
	}
	f := officerDossierView{Dossier: d, Message: message, Own: d.AccountID == v.account.ID}
	for _, s := range d.Next() {
		f.Choices = append(f.Choices, statusChoice{Value: s, Text: statusTexts[s]})
	}
	v.here = "/officer/dossiers/" + url.PathEscape(d.ID)
	vw := v.view("", f)
	vw.Title = d.ID
	return v.write(status, "officerdossier", vw)
}

func (p *portal) changeStatus(v *visit) error {
	ctx := v.r.Context()
	form, err := v.form()
	if err != nil {
		return err
	}
	id := v.r.PathValue("id")
	d, err := p.store.dossierByID(ctx, id, "")
	if err != nil {
		return err
	}
	switch {
	case d == nil:
		return &problem{kind: "not_found"}
	case d.AccountID == v.account.ID:
		return p.showOfficerDossier(v, http.StatusForbidden, "officer.own")
	}
	err = p.store.changeStatus(ctx, id, form.Get("from"), form.Get("to"), v.officerName(), tidy(form.Get("note"), 300))
	if errors.Is(err, errNotNext) {
		return p.showOfficerDossier(v, http.StatusConflict, "officer.conflict")
	}
	if err != nil {
		return err
	}
	return p.toldAt(v, "/officer/dossiers/"+url.PathEscape(id), "notice.status")
}

type auditView struct {
	Lines         []auditLine
	Shared        []sharedNumber
	Officer       bool
	OnlyAttention bool
}

func (p *portal) officerAudit(v *visit) error {
	f := auditView{Officer: true, OnlyAttention: v.r.URL.Query().Get("show") == "attention"}
	var err error
	if f.Lines, err = p.store.auditOf(v.r.Context(), "", f.OnlyAttention); err != nil {
		return err
	}
	if f.Shared, err = p.store.sharedNumbers(v.r.Context()); err != nil {
		return err
	}
	return v.render(http.StatusOK, "audit", "audit.officer", f)
}

// ownAudit: a citizen's own lines. Which other account a number met is not
// among them: entries name the reader's own accounts only.
func (p *portal) ownAudit(v *visit) error {
	var f auditView
	var err error
	if f.Lines, err = p.store.auditOf(v.r.Context(), v.account.ID, false); err != nil {
		return err
	}
	for i := range f.Lines {
		if strings.HasPrefix(f.Lines[i].What, "dancu.") {
			f.Lines[i].Why = "" // CSDL Dân cư's reason would make this page an oracle
		}
	}
	return v.render(http.StatusOK, "audit", "audit.own", f)
}

func (p *portal) signInHistory(v *visit) error {
	list, err := p.store.signInsOf(v.r.Context(), v.account.ID)
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, "signins", "signins.title", struct{ List []signInLine }{list})
}

type identityView struct {
	personRows
	Old      *oldAccount  // this session's own local account
	Linked   []oldAccount // joined to this account
	Waiting  []oldAccount // could be linked
	Roles    []oldAccount // officers' accounts with the verified number
	Acting   string
	LastCCCD string // verified earlier, not told this time
	Wish     string
}

// identityPage is Thông tin định danh: what is declared, what is verified, what
// is linked, and everything that can be done about it.
func (p *portal) identityPage(v *visit) error {
	ctx := v.r.Context()
	f := identityView{personRows: personRows{account: v.account, session: v.session}, Acting: v.session.officer}
	var err error
	if f.Old, err = p.ownOldAccount(v); err != nil {
		return err
	}
	if v.session.method == "vneid" {
		if f.Linked, err = p.store.linkedTo(ctx, v.account.ID); err != nil {
			return err
		}
		if f.Waiting, err = p.waiting(ctx, v); err != nil {
			return err
		}
		if f.Roles, err = oldAccounts(ctx, p.store.db, v.session.iss, v.session.sub, v.account.Claims, "l.role = 'officer'"); err != nil {
			return err
		}
		if v.account.Claims.CCCD == "" {
			if err := p.store.db.QueryRowContext(ctx, "SELECT cccd FROM identities WHERE iss = ? AND sub = ?", v.session.iss, v.session.sub).Scan(&f.LastCCCD); err != nil {
				return err
			}
			f.LastCCCD = masked(f.LastCCCD)
		}
	}
	return v.render(http.StatusOK, "identity", "identity.title", f)
}
