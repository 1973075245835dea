package main

import (
	"errors"
	"time"
)

// demand is what a procedure asks of a sign-in. The level of the *account*
// (how well the state knows the person) and the level of the *sign-in* (acr:
// how well this sign-in was proved) are different things; neither is ever
// derived from the other.
type demand struct {
	Level  string        // account_level: "2" or ""
	ACR    string        // "LoA2" or ""
	MaxAge time.Duration // since the person last proved who they are; 0 = any
}

var demands = map[string]demand{
	"9.000104": {Level: "2"},
	"9.000402": {Level: "2"},
	"9.000503": {Level: "2", ACR: "LoA2", MaxAge: 5 * time.Minute},
	"9.000504": {Level: "2", ACR: "LoA2"},
	"9.000604": {ACR: "LoA2"},
	"9.001301": {Level: "2", ACR: "LoA2", MaxAge: 15 * time.Minute},
}

// levels in order; what is not here is the lowest. Ranks of one list only.
var (
	acrRank   = map[string]int{"LoA1": 1, "LoA2": 2, "LoA3": 3, "LoA4": 4}
	levelRank = map[string]int{"1": 1, "2": 2}
)

// shortfall is what a session lacks for a demand.
type shortfall struct {
	demand
	HaveLevel, HaveACR string
	NotVNeID           bool // signed in with an account of the portal's own
	LevelTooLow        bool // no sign-in changes this: the police raise accounts
	LevelUnknown       bool // VNeID did not tell
	ACRTooLow, TooOld  bool // another sign-in does
}

func (s shortfall) Any() bool     { return s.NotVNeID || s.LevelTooLow || s.ACRTooLow || s.TooOld }
func (s shortfall) CanStep() bool { return !s.LevelTooLow }
func (s shortfall) Minutes() int  { return int(s.MaxAge.Minutes()) }

func (p *portal) shortfallOf(v *visit, d demand) shortfall {
	f := shortfall{demand: d}
	if d == (demand{}) {
		return f
	}
	if v.session.method != "vneid" {
		f.NotVNeID = true
		return f
	}
	f.HaveLevel, f.HaveACR = v.account.Claims.Level, v.session.acr
	f.LevelTooLow = levelRank[f.HaveLevel] < levelRank[d.Level]
	f.LevelUnknown = f.LevelTooLow && f.HaveLevel == ""
	f.ACRTooLow = acrRank[f.HaveACR] < acrRank[d.ACR]
	// Not since the sign-in here: VNeID may have remembered the person for hours.
	f.TooOld = d.MaxAge > 0 && p.store.ms()-v.session.provedMS > d.MaxAge.Milliseconds()
	return f
}

// stepUp sends the person to VNeID for what the procedure demands. What was
// typed waits in the draft; the way back waits in the attempt.
func (p *portal) stepUp(v *visit) error {
	form, err := v.form()
	if err != nil {
		return err
	}
	pr, ok := procedureByCode(form.Get("procedure"))
	if !ok {
		return &problem{kind: "not_found", err: errors.New("step-up for no procedure")}
	}
	d := demands[pr.Code]
	a := attempt{purpose: forStepUp, wanted: "/procedures/" + pr.Code + "/apply", acr: d.ACR, maxAge: -1}
	if d.MaxAge > 0 {
		a.maxAge = int(d.MaxAge.Seconds())
	}
	return p.leave(v, a)
}
