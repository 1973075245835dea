package main

import (
	"context"
	"errors"
	"net/http"
	"slices"
)

// The pages of linking. They collect proofs and show what linking.go decided;
// none of them decides anything.

type linkForm struct {
	Candidates []oldAccount
	Chosen     string
	Number     string // masked
	Name       string
	Message    string
}

// AnyCMND: one of them has to be confirmed.
func (f linkForm) AnyCMND() bool {
	return slices.ContainsFunc(f.Candidates, func(o oldAccount) bool { return o.ByCMND() })
}

// waiting are the old accounts this session may be asked about.
func (p *portal) waiting(ctx context.Context, v *visit) ([]oldAccount, error) {
	if v.session.method != "vneid" {
		return nil, nil
	}
	return candidates(ctx, p.store.db, v.session.iss, v.session.sub, v.account.Claims)
}

// linkPage asks the one question that seed 000 does not ask.
func (p *portal) linkPage(v *visit) error {
	list, err := p.waiting(v.r.Context(), v)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return v.redirect(wantedPage(v.session.wanted))
	}
	return p.showLinkForm(v, http.StatusOK, linkForm{Candidates: list})
}

func (p *portal) showLinkForm(v *visit, status int, f linkForm) error {
	v.here = "/link"
	f.Number, f.Name = masked(v.account.Claims.CCCD), v.account.Name
	if f.Chosen == "" && len(f.Candidates) == 1 {
		f.Chosen = f.Candidates[0].Username
	}
	return v.render(status, "link", "link.title", f)
}

// linkAnswer is Cập nhật (with the old account's password) or Bỏ qua.
func (p *portal) linkAnswer(v *visit) error {
	ctx := v.r.Context()
	form, err := v.form()
	if err != nil {
		return err
	}
	list, err := p.waiting(ctx, v)
	if err != nil {
		return err
	}
	wanted := wantedPage(v.session.wanted)
	if form.Get("do") == "skip" {
		if v.session.method != "vneid" {
			return v.redirect(wanted)
		}
		for _, o := range list {
			if _, err := p.store.link(ctx, eventRefuses, claimant{session: v.session}, o.Username); err != nil {
				return err
			}
		}
		return p.toldAt(v, wanted, "notice.refused")
	}
	f := linkForm{Candidates: list, Chosen: username(form.Get("username"))}
	if f.Chosen == "" && len(list) == 1 {
		f.Chosen = list[0].Username
	}
	proved, locked, err := p.proveOld(ctx, f.Chosen, form.Get("password"))
	right := proved != ""
	if err != nil {
		return err
	}
	if locked {
		f.Message = "link.locked"
		return p.showLinkForm(v, http.StatusTooManyRequests, f)
	}
	// Without its password only an account that was offered is looked at: what
	// the others are is nobody's business.
	did := noPassword
	if right || slices.ContainsFunc(list, func(o oldAccount) bool { return o.Username == f.Chosen }) {
		if did, err = p.store.link(ctx, eventJoins, claimant{session: v.session, proved: proved, confirmed: form.Get("confirm") == "yes"}, f.Chosen); err != nil {
			return err
		}
	}
	switch did {
	case doJoin, doNothing:
		return p.joined(v, wanted)
	case noPassword, noRule:
		f.Message = "link.wrong"
	case noTaken, noCooling, noOfficer, noVNeID, noOtherNumber:
		f.Message = "link." + string(did)
		if did == noOtherNumber && slices.ContainsFunc(list, func(o oldAccount) bool { return o.Username == f.Chosen && o.ByCMND() }) {
			f.Message = "link.confirm"
		}
		if !right { // what an account is or is not, only its owner hears
			f.Message = "link.wrong"
		}
	}
	return p.showLinkForm(v, http.StatusUnprocessableEntity, f)
}

// joined goes on: more old accounts of the same person are offered in turn.
func (p *portal) joined(v *visit, wanted string) error {
	if err := p.store.remember(v.r.Context(), v.session, wanted, "notice.linked"); err != nil {
		return err
	}
	more, err := p.waiting(v.r.Context(), v)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(more, func(o oldAccount) bool { return !o.refused }) {
		return v.redirect("/link")
	}
	return v.redirect(wanted)
}

// proveOld checks an old account's password under the same limits as the
// sign-in page: one counter, or there would be ten tries. What was proved is
// the stored hash that the password fits; "" for nothing.
func (p *portal) proveOld(ctx context.Context, name, password string) (proved string, locked bool, err error) {
	tries, err := p.store.countTry(ctx, name)
	if err != nil || tries > triesAllowed {
		return "", tries > triesAllowed, err
	}
	o, right, err := p.checkPassword(ctx, name, password)
	if err != nil || !right {
		return "", false, err
	}
	return o.password, false, p.store.clearTries(ctx, name)
}

// linkStart goes from Thông tin định danh to VNeID, to verify the number there.
// A session that came from VNeID has done that: it goes to the question.
func (p *portal) linkStart(v *visit) error {
	if v.session.method == "vneid" {
		if err := p.store.remember(v.r.Context(), v.session, "/profile/identity"); err != nil {
			return err
		}
		return v.redirect("/link")
	}
	return p.leave(v, attempt{purpose: forLink, wanted: "/profile/identity", maxAge: -1})
}

type whoForm struct {
	Here, HereNumber, HereNote string // the note is the user name
	HereVNeID                  bool
	There, ThereNumber         string
}

// whoPage: two people in one browser. It shows both and does nothing by itself.
func (p *portal) whoPage(v *visit) error {
	proved, _, err := p.store.waitingArrival(v.r.Context(), v.session.id)
	if err != nil {
		return err
	}
	if proved == nil {
		return v.redirect("/")
	}
	f := whoForm{Here: v.account.Name, HereNumber: masked(or(v.account.Claims.CCCD, v.account.DeclaredCCCD)), HereVNeID: v.session.method == "vneid",
		HereNote: v.session.username, There: proved.Who.Name, ThereNumber: masked(proved.Who.CCCD)}
	return v.render(http.StatusOK, "who", "who.title", f)
}

func (p *portal) whoAnswer(v *visit) error {
	ctx := v.r.Context()
	form, err := v.form()
	if err != nil {
		return err
	}
	proved, wanted, err := p.store.waitingArrival(ctx, v.session.id)
	if err != nil {
		return err
	}
	if proved == nil {
		return v.redirect("/")
	}
	if form.Get("do") != "new" {
		if err := p.store.dropArrival(ctx, v.session.id); err != nil {
			return err
		}
		return v.redirect(wantedPage(v.session.wanted))
	}
	if _, isProfile := p.profilePages()[wanted]; isProfile {
		wanted = "/"
	}
	out, err := p.arrive(v, arrival{proved: proved, wanted: wanted, visitor: visitorOf(v.r), instead: true})
	if err != nil {
		return err
	}
	return p.goOn(v, out, wanted)
}

// profilePages are about the person who left: the one who stays starts at home.
func (p *portal) profilePages() map[string]bool {
	return map[string]bool{"/profile/identity": true, "/identity/unlink": true}
}

// unlinkStart asks VNeID for a fresh sign-in: whoever finds this browser open
// must not be able to take the account away.
func (p *portal) unlinkStart(v *visit) error {
	if v.session.method != "vneid" {
		return v.redirect("/profile/identity")
	}
	return p.leave(v, attempt{purpose: forUnlink, wanted: "/identity/unlink", maxAge: 0})
}

type unlinkForm struct {
	Linked  []oldAccount
	Chosen  string
	Message string
	Fresh   bool
}

func (p *portal) unlinkPage(v *visit) error { return p.showUnlinkForm(v, http.StatusOK, unlinkForm{}) }

func (p *portal) showUnlinkForm(v *visit, status int, f unlinkForm) error {
	var err error
	v.here = "/identity/unlink"
	if f.Linked, err = p.store.linkedTo(v.r.Context(), v.account.ID); err != nil {
		return err
	}
	if len(f.Linked) == 0 || v.session.method != "vneid" {
		return v.redirect("/profile/identity")
	}
	if f.Chosen == "" {
		f.Chosen = f.Linked[0].Username
	}
	f.Fresh = v.session.freshMS > 0 && p.store.ms() < v.session.freshMS+freshFor.Milliseconds()
	return v.render(status, "unlink", "unlink.title", f)
}

func (p *portal) unlink(v *visit) error {
	form, err := v.form()
	if err != nil {
		return err
	}
	f := unlinkForm{Chosen: username(form.Get("username"))}
	if f.Chosen == "" {
		linked, err := p.store.linkedTo(v.r.Context(), v.account.ID)
		if err != nil {
			return err
		}
		if len(linked) > 0 {
			f.Chosen = linked[0].Username
		}
	}
	c := claimant{session: v.session}
	password := form.Get("password")
	if wrong := passwordProblem(password, form.Get("again")); wrong != "" {
		f.Message = wrong
	} else {
		c.newHash = p.hasher.hash(password)
	}
	did, err := p.store.link(v.r.Context(), eventUnlinks, c, f.Chosen)
	if err != nil {
		return err
	}
	switch did {
	case doUnlink:
		return p.toldAt(v, "/profile/identity", "notice.unlinked")
	case noNewPassword:
		return p.showUnlinkForm(v, http.StatusUnprocessableEntity, f)
	}
	return &problem{kind: "not_fresh", wanted: "/profile/identity", err: errors.New("unlink without a fresh sign-in of the same person")}
}

// linkRole joins an officer's account, as a role, to the VNeID account.
func (p *portal) linkRole(v *visit) error {
	form, err := v.form()
	if err != nil {
		return err
	}
	name := username(form.Get("username"))
	proved, locked, err := p.proveOld(v.r.Context(), name, form.Get("password"))
	if err != nil {
		return err
	}
	notice := "notice.roleWrong"
	if proved != "" && !locked {
		did, err := p.store.link(v.r.Context(), eventJoinsRole, claimant{session: v.session, proved: proved}, name)
		if err != nil {
			return err
		}
		if did == doJoinRole {
			notice = "notice.roleLinked"
		}
	}
	return p.toldAt(v, "/profile/identity", notice)
}

// switchRole is the explicit switch between citizen and officer.
func (p *portal) switchRole(v *visit) error {
	form, err := v.form()
	if err != nil {
		return err
	}
	if form.Get("to") != "officer" {
		if err := p.store.leaveRole(v.r.Context(), v.session.id); err != nil {
			return err
		}
		return v.redirect("/")
	}
	did, err := p.store.link(v.r.Context(), eventTakesUpRole, claimant{session: v.session}, username(form.Get("username")))
	if err != nil {
		return err
	}
	if did != doTakeUpRole {
		return &problem{kind: "officers_only", err: errors.New("no link to this role")}
	}
	return v.redirect("/officer")
}

// rulesView is the table for people.
type rulesView struct{ Rules []shownRule }

type shownRule struct {
	From, On, To, Do text
	Needs, Forbids   []text
	Changes          bool
}

func (p *portal) linkingRules(v *visit) error {
	var list []shownRule
	for _, r := range linkTable {
		list = append(list, shownRule{stateTexts[r.From], eventTexts[r.On], stateTexts[r.To], linkTexts[r.Do], factList(r.Needs), factList(r.Forbids), r.From != r.To})
	}
	return v.render(http.StatusOK, "rules", "rules.title", rulesView{list})
}

func factList(f fact) []text {
	var list []text
	for i := range numberOfFacts {
		if f&(1<<i) != 0 {
			list = append(list, factTexts[1<<i])
		}
	}
	return list
}
