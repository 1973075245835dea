package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"time"
)

// How often a number may be tried: without limits the page would tell a
// patient stranger who has which number. By account, and by number over all
// accounts.
const (
	numberTriesPerAccount = 5
	numberTriesPerNumber  = 5
	numberTriesWindow     = 24 * time.Hour
)

// numberForm is the page of seed 000 bước 2, and the same form on Thông tin định danh.
type numberForm struct {
	Old     *oldAccount
	Typed   string
	Birth   string // shown when the account knows it, asked for when not
	Message string // a text key
}

// numberPage asks a local account for its CCCD.
func (p *portal) numberPage(v *visit) error {
	o, err := p.ownOldAccount(v)
	if err != nil {
		return err
	}
	if o == nil { // came by VNeID: that number is verified already
		return v.redirect("/profile/identity")
	}
	return p.showNumberForm(v, http.StatusOK, numberForm{Old: o, Message: wishMessage(o)})
}

func wishMessage(o *oldAccount) string {
	if o.Wish != "" {
		return "number.wish"
	}
	return ""
}

func (p *portal) showNumberForm(v *visit, status int, f numberForm) error {
	v.here = "/identity/cccd"
	f.Birth = personDate(f.Old.Birthdate)
	return v.render(status, "number", "number.title", f)
}

// ownOldAccount is the local account this browser signed in with; nil for VNeID.
func (p *portal) ownOldAccount(v *visit) (*oldAccount, error) {
	if v.session.method != "local" {
		return nil, nil
	}
	return oldAccountOf(v.r.Context(), p.store.db, v.session.username)
}

// updateNumber is Cập nhật and Bỏ qua. Both end on the wanted page, signed in.
func (p *portal) updateNumber(v *visit) error {
	form, err := v.form()
	if err != nil {
		return err
	}
	o, err := p.ownOldAccount(v)
	if err != nil {
		return err
	}
	if o == nil {
		return v.redirect("/profile/identity")
	}
	wanted := wantedPage(v.session.wanted)
	if form.Get("from") == "profile" {
		wanted = "/profile/identity"
	}
	if form.Get("do") == "skip" {
		return v.redirect(wanted)
	}
	typed := tidy(form.Get("cccd"), 60)
	f := numberForm{Old: o, Typed: typed}
	number := readCCCD(form.Get("cccd"))
	if typed == "" && o.Wish != "" {
		number = o.Wish // remembered from a day CSDL Dân cư was silent
	}
	birth := o.Birthdate
	if birth == "" {
		birth = readBirthdate(form.Get("birthdate"))
	}
	switch {
	case typed == "" && number == "":
		f.Message = "number.empty"
		return p.showNumberForm(v, http.StatusUnprocessableEntity, f)
	case number == "" && readCMND(typed) != "":
		f.Message = "number.cmnd"
		return p.showNumberForm(v, http.StatusUnprocessableEntity, f)
	case number == "":
		f.Message = "number.shape"
		return p.showNumberForm(v, http.StatusUnprocessableEntity, f)
	case birth == "":
		f.Message = "number.birth"
		return p.showNumberForm(v, http.StatusUnprocessableEntity, f)
	}
	did, err := p.declare(v, o, number, birth)
	if err != nil {
		return err
	}
	switch did {
	case declaredYes:
		return p.toldAt(v, wanted, "notice.declared")
	case declaredLater:
		return p.toldAt(v, wanted, "notice.later")
	case declaredTooOften:
		f.Message = "number.often"
		return p.showNumberForm(v, http.StatusTooManyRequests, f)
	}
	f.Message = "number.mismatch"
	return p.showNumberForm(v, http.StatusUnprocessableEntity, f)
}

// toldAt goes on to a page and tells something there.
func (p *portal) toldAt(v *visit, wanted, notice string) error {
	if err := p.store.remember(v.r.Context(), v.session, wanted, notice); err != nil {
		return err
	}
	return v.redirect(wanted)
}

type declared int

const (
	declaredNo declared = iota
	declaredYes
	declaredLater
	declaredTooOften
)

// declare asks CSDL Dân cư and keeps a number that it knows.
func (p *portal) declare(v *visit, o *oldAccount, number, birth string) (declared, error) {
	ctx := v.r.Context()
	byAccount, err := p.store.countTries(ctx, "dancu account "+o.AccountID, numberTriesPerAccount, numberTriesWindow)
	if err != nil {
		return declaredNo, err
	}
	byNumber, err := p.store.countTries(ctx, "dancu number "+number, numberTriesPerNumber, numberTriesWindow)
	if err != nil {
		return declaredNo, err
	}
	e := entry{account: o.AccountID, who: "local:" + o.Username, matched: "cccd, name, birthdate", number: number}
	if byAccount > numberTriesPerAccount || byNumber > numberTriesPerNumber {
		e.what, e.matched, e.why, e.attention = "dancu.limit", "none", fmt.Sprintf("too many tries: %d / %d", byAccount, byNumber), true
		return declaredTooOften, p.store.tx(ctx, func(tx *sql.Tx) error { return p.store.note(ctx, tx, e) })
	}
	answer, askErr := p.dancu.match(ctx, number, o.Name, birth)
	did := declaredNo
	err = p.store.tx(ctx, func(tx *sql.Tx) error {
		if askErr != nil {
			did = declaredLater
			e.what, e.matched, e.why = "dancu.silent", "none", "no answer: "+askErr.Error()
			if _, err := tx.ExecContext(ctx, "UPDATE local_logins SET wish = ? WHERE username = ?", number, o.Username); err != nil {
				return err
			}
			return p.store.note(ctx, tx, e)
		}
		var facts fact
		e.what, e.why = "dancu.mismatch", or(answer.Reason, "matches")
		if answer.Match {
			facts, e.what, e.why = factMatched, "dancu.match", ""
		}
		fresh, err := oldAccountOf(ctx, tx, o.Username)
		if err != nil || fresh == nil {
			return err
		}
		if r := decide(fresh.state(), eventDeclares, facts); r.Do == doDeclare {
			did = declaredYes
			if _, err := tx.ExecContext(ctx, "UPDATE local_logins SET cccd = ?, declared_ms = ?, wish = '', birthdate = ? WHERE username = ?", number, p.store.ms(), birth, o.Username); err != nil {
				return err
			}
		} else {
			// A wish that CSDL Dân cư has answered is no wish any more.
			if _, err := tx.ExecContext(ctx, "UPDATE local_logins SET wish = '' WHERE username = ?", o.Username); err != nil {
				return err
			}
			e.matched = "none"
		}
		return p.store.note(ctx, tx, e)
	})
	if err != nil {
		return declaredNo, fmt.Errorf("declare a number: %w", err)
	}
	if askErr != nil {
		p.log.Warn("CSDL Dân cư gave no answer", "err", tidy(askErr.Error(), 200))
		// An unanswered question is not the person's try.
		return did, p.uncount(ctx, o, number)
	}
	if did == declaredYes {
		return did, p.store.clearTries(ctx, "dancu account "+o.AccountID)
	}
	p.log.Info("CSDL Dân cư says no", "user", o.Username, "number", masked(number), "reason", answer.Reason)
	return did, nil
}

func (p *portal) uncount(ctx context.Context, o *oldAccount, number string) error {
	for _, key := range []string{"dancu account " + o.AccountID, "dancu number " + number} {
		if _, err := p.store.db.ExecContext(ctx, "UPDATE password_tries SET tries = max(0, tries - 1) WHERE username = ?", hashed(key)); err != nil {
			return err
		}
	}
	return nil
}
