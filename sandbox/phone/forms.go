package phone

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/form"
	"github.com/vneid-sandbox/vneid-sandbox/templates"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// The forms of the app. Each does one thing and sends the browser back to
// /phone, where the dispatcher shows how the app stands.

// handler answers a request, or fails; page turns failures into pages.
type handler func(w http.ResponseWriter, r *http.Request) error

const (
	maxForm = 16 << 10 // bytes
	maxCode = 4096     // bytes; a QR code holds 2953
)

// page refuses forms of other sites and reads the others, within bounds.
func (p *Phones) page(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := prepare(w, r)
		if err == nil {
			err = h(w, r)
		}
		if err != nil {
			p.fail(w, r, err)
		}
	}
}

func prepare(w http.ResponseWriter, r *http.Request) error {
	limit := int64(maxForm)
	if takesPicture(r) {
		limit += MaxPicture
	}
	return form.Read(w, r, limit)
}

// takesPicture reports whether the request may carry a picture.
func takesPicture(r *http.Request) bool {
	return r.Method == http.MethodPost && (r.URL.Path == Prefix+"/picture" ||
		r.URL.Path == Prefix+"/scan" && strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data"))
}

// done sends the browser where the app is shown.
func done(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, vneid.WorldFrom(r.Context()).Path+Prefix, http.StatusSeeOther)
	return nil
}

func (p *Phones) elsewhere(w http.ResponseWriter, r *http.Request) error { return done(w, r) }

// on runs an action of the phone in the browser's hand. Without one, or when
// the provider refuses, the dispatcher's screen says what is the matter.
func (p *Phones) on(w http.ResponseWriter, r *http.Request, act func(ph *phone) error) error {
	ph, _, err := p.current(r)
	if err != nil {
		return err
	}
	if ph == nil {
		return done(w, r)
	}
	err = act(ph)
	if err == nil {
		err = p.advance(r.Context(), ph)
	}
	if err != nil {
		if err = p.settle(r, ph, err); err != nil {
			return err
		}
	}
	return done(w, r)
}

// settle keeps what a refusal means for the app; an error that no screen of
// the app shows comes back.
func (p *Phones) settle(r *http.Request, ph *phone, refused error) error {
	var e *vneid.Error
	if !errors.As(refused, &e) {
		return refused
	}
	p.logRefusal(r, e)
	shown := false
	err := p.change(r.Context(), ph, func(_ *vneid.Handset, a *app) {
		a.learn(refused)
		shown = a.show(refused)
	})
	if err == nil && !shown {
		err = refused
	}
	return err
}

// Activation: seed 001 and vneid's rules, one form for each step.

func (p *Phones) activate(w http.ResponseWriter, r *http.Request) error {
	_, h, err := p.current(r)
	if err != nil {
		return err
	}
	fresh, err := p.newPhone()
	if err != nil {
		return err
	}
	ctx, now := r.Context(), vneid.WorldFrom(r.Context()).Clock.Now()
	username := r.PostForm.Get("username")
	var a activation
	err = p.call(ctx, fresh.key(), "", "activate", members{"username": username, "password": r.PostForm.Get("password"),
		"name": deviceName(r.UserAgent())}, &a)
	if err != nil {
		return p.refuseStart(w, r, h, username, err)
	}
	number, _ := vneid.ParseCCCD(username, now.Year())
	fresh.app.Code = h.Code
	fresh.app.Activation = &activating{ID: a.Activation, CCCD: string(number), Phone: a.Phone,
		Until: now.Add(seconds(a.OTPSeconds)), ResendAt: now.Add(seconds(a.ResendSeconds))}
	if err := p.Store.Update(ctx, vneid.WorldFrom(ctx).ID, func(tx vneid.Tx) error { return putPhone(tx, fresh, now) }); err != nil {
		return err
	}
	if err := p.hold(w, r, holder{Shows: fresh.row.ID}); err != nil {
		return err
	}
	return done(w, r)
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// askActivation makes a call of a phone that is being activated.
func (p *Phones) askActivation(r *http.Request, ph *phone, name string, m members, answer any) error {
	if ph.app.Activation == nil {
		return nil // a form that comes late
	}
	m["activation"] = ph.app.Activation.ID
	return p.call(r.Context(), ph.key(), ph.app.Activation.ID, name, m, answer)
}

func (p *Phones) otp(w http.ResponseWriter, r *http.Request) error {
	return p.on(w, r, func(ph *phone) error {
		if err := p.askActivation(r, ph, "activate_otp", members{"otp": r.PostForm.Get("otp")}, &struct{}{}); err != nil {
			return err
		}
		return p.change(r.Context(), ph, func(_ *vneid.Handset, a *app) {
			if a.Activation != nil {
				a.Activation.Proved = true
			}
			a.Slip = nil
		})
	})
}

func (p *Phones) resend(w http.ResponseWriter, r *http.Request) error {
	return p.on(w, r, func(ph *phone) error {
		var answer activation
		if err := p.askActivation(r, ph, "activate_resend", members{}, &answer); err != nil {
			return err
		}
		now := vneid.WorldFrom(r.Context()).Clock.Now()
		return p.change(r.Context(), ph, func(_ *vneid.Handset, a *app) {
			if a.Activation != nil {
				a.Activation.Until, a.Activation.ResendAt = now.Add(seconds(answer.OTPSeconds)), now.Add(seconds(answer.ResendSeconds))
				a.Slip = &refusal{Key: "resent", Good: true}
			}
		})
	})
}

func (p *Phones) choosePasscode(w http.ResponseWriter, r *http.Request) error {
	return p.on(w, r, func(ph *phone) error {
		if ph.app.Activation == nil {
			return nil
		}
		var answer activated
		if err := p.askActivation(r, ph, "activate_finish", members{"passcode": digits(r.PostForm.Get("passcode"))}, &answer); err != nil {
			return err
		}
		now := vneid.WorldFrom(r.Context()).Clock.Now()
		return p.change(r.Context(), ph, func(row *vneid.Handset, a *app) {
			row.CCCD, row.DeviceID = vneid.CCCD(answer.CCCD), answer.Device
			a.Activation, a.Slip, a.Ready = nil, nil, false
			a.signIn(unlocked{answer.Session, answer.SessionSeconds}, now)
		})
	})
}

// digits forgives the gaps that people type or paste.
func digits(s string) string { return strings.Join(strings.Fields(s), "") }

// take puts somebody's ready phone into the tester's hand.
func (p *Phones) take(w http.ResponseWriter, r *http.Request) error {
	_, h, err := p.current(r)
	if err != nil {
		return err
	}
	cccd, err := vneid.ParseCCCD(r.PostForm.Get("cccd"), vneid.WorldFrom(r.Context()).Clock.Now().Year())
	if err != nil {
		return vneid.Errorf(vneid.CodeNotFound, "not_found", "nobody has this number")
	}
	ph, err := p.phoneFor(r.Context(), cccd)
	if errors.Is(err, vneid.ErrNotFound) {
		return vneid.Errorf(vneid.CodeNotFound, "not_found", "nobody has this number")
	}
	if err != nil {
		return err
	}
	if err := p.hold(w, r, holder{Shows: ph.row.ID}); err != nil {
		return err
	}
	if h.Code != "" {
		if err := p.change(r.Context(), ph, func(_ *vneid.Handset, a *app) { a.home(); a.Code = h.Code }); err != nil {
			return err
		}
		if err := p.advance(r.Context(), ph); err != nil {
			if err := p.settle(r, ph, err); err != nil {
				return err
			}
		}
	}
	return done(w, r)
}

func (p *Phones) unlock(w http.ResponseWriter, r *http.Request) error {
	return p.on(w, r, func(ph *phone) error {
		return p.signInApp(r.Context(), ph, digits(r.PostForm.Get("passcode")))
	})
}

// scan takes a code: typed, pasted, in a picture, or in the address that a
// phone's camera opened. Looking at that address was no scan; this is.
func (p *Phones) scan(w http.ResponseWriter, r *http.Request) error {
	code, err := p.scanned(r)
	if err == nil && len(code) > maxCode {
		err = vneid.Errorf(vneid.CodeInvalid, "qr_foreign", "%d bytes", len(code))
	}
	if err == nil && strings.TrimSpace(code) == "" {
		err = vneid.Errorf(vneid.CodeInvalid, "qr_empty", "no code was given")
	}
	if err != nil {
		return p.refuseScan(w, r, err)
	}
	ph, h, err := p.current(r)
	if err != nil {
		return err
	}
	if ph == nil || ph.row.DeviceID == "" && ph.app.Activation == nil {
		h.Code = code
		if err := p.hold(w, r, h); err != nil {
			return err
		}
		return done(w, r)
	}
	return p.on(w, r, func(ph *phone) error {
		return p.change(r.Context(), ph, func(_ *vneid.Handset, a *app) { a.home(); a.Code = code })
	})
}

// scanned is the code of a form, or that in its picture.
func (p *Phones) scanned(r *http.Request) (string, error) {
	if !takesPicture(r) {
		return r.PostForm.Get("code"), nil
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return "", form.Unreadable(err)
	}
	for range 10 {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", form.Unreadable(err)
		}
		if part.FormName() == "picture" {
			return p.readUpload(r, part)
		}
	}
	return "", vneid.Errorf(vneid.CodeInvalid, "picture_missing", "the form has no picture")
}

func (p *Phones) readUpload(r *http.Request, from io.Reader) (string, error) {
	if err := enter(r.Context(), p.uploads); err != nil {
		return "", err
	}
	defer func() { <-p.uploads }()
	raw, err := io.ReadAll(io.LimitReader(from, MaxPicture+1))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return "", vneid.Errorf(vneid.CodeInvalid, "picture_too_large", "over %d bytes", MaxPicture)
		}
		return "", form.Unreadable(err)
	}
	return p.pictures.read(r.Context(), raw)
}

// picture reads a frame of the camera for a script: {"code": "…"}, or 204. The
// script then sends the code by the form that everybody uses.
func (p *Phones) picture(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	code, err := p.readUpload(r, r.Body)
	switch {
	case vneid.MsgKey(err) == "picture_no_qr":
		w.WriteHeader(http.StatusNoContent)
		return nil
	case err != nil:
		return err
	}
	raw, err := json.Marshal(map[string]string{"code": code})
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(raw)
	return nil
}

// update opens the switch "Đăng nhập trên website" (seed 001 bước 4).
func (p *Phones) update(w http.ResponseWriter, r *http.Request) error {
	return p.on(w, r, func(ph *phone) error {
		return p.change(r.Context(), ph, func(_ *vneid.Handset, a *app) { a.Switch, a.Want, a.Slip = true, nil, nil })
	})
}

func (p *Phones) wantWebLogin(w http.ResponseWriter, r *http.Request) error {
	on := r.PostForm.Get("on") != ""
	return p.on(w, r, func(ph *phone) error {
		return p.change(r.Context(), ph, func(_ *vneid.Handset, a *app) {
			if a.Scan != nil && !a.Scan.Allowed && !on { // it is off, and stays so
				a.Switch, a.Want = false, nil
				return
			}
			a.Want, a.Slip = &on, nil
		})
	})
}

func (p *Phones) setWebLogin(w http.ResponseWriter, r *http.Request) error {
	return p.on(w, r, func(ph *phone) error {
		if ph.app.Want == nil {
			return nil
		}
		on := *ph.app.Want
		if err := p.ask(r.Context(), ph, "web_login", members{"on": on, "passcode": digits(r.PostForm.Get("passcode"))}, nil); err != nil {
			return err
		}
		return p.change(r.Context(), ph, func(_ *vneid.Handset, a *app) {
			a.Want, a.Switch, a.Slip = nil, false, nil
			if a.Scan != nil {
				a.Scan.Allowed, a.Scan.Message = on, ""
			}
		})
	})
}

func (p *Phones) confirm(w http.ResponseWriter, r *http.Request) error {
	number, _ := strconv.Atoi(r.PostForm.Get("number"))
	return p.on(w, r, func(ph *phone) error {
		if ph.app.Scan == nil {
			return nil // a second press, or another browser was faster
		}
		// The form says which login was looked at: it is not another one that
		// was scanned meanwhile.
		if r.PostForm.Get("login") != ph.app.Scan.Login {
			return nil
		}
		err := p.confirmLogin(r.Context(), ph, ph.app.Scan.Login, digits(r.PostForm.Get("passcode")), number,
			&refusal{Key: "done", Good: true, Args: []any{ph.app.Scan.ClientName}})
		return err
	})
}

func (p *Phones) refuse(w http.ResponseWriter, r *http.Request) error {
	return p.on(w, r, func(ph *phone) error {
		if ph.app.Scan == nil || r.PostForm.Get("login") != ph.app.Scan.Login {
			return nil
		}
		return p.refuseLogin(r.Context(), ph, ph.app.Scan.Login, &refusal{Key: "refused", Good: true, Args: []any{ph.app.Scan.ClientName}})
	})
}

func (p *Phones) disown(w http.ResponseWriter, r *http.Request) error {
	return p.on(w, r, func(ph *phone) error {
		if err := p.ask(r.Context(), ph, "disown", members{"login": r.PostForm.Get("login")}, nil); err != nil {
			return err
		}
		return p.change(r.Context(), ph, func(_ *vneid.Handset, a *app) { a.Notice = &refusal{Key: "disowned", Good: true} })
	})
}

// back leaves the switch without changing it.
func (p *Phones) back(w http.ResponseWriter, r *http.Request) error {
	return p.on(w, r, func(ph *phone) error {
		return p.change(r.Context(), ph, func(_ *vneid.Handset, a *app) { a.Switch, a.Want, a.Slip = false, nil, nil })
	})
}

func (p *Phones) close(w http.ResponseWriter, r *http.Request) error {
	return p.on(w, r, func(ph *phone) error {
		return p.change(r.Context(), ph, func(_ *vneid.Handset, a *app) { a.home() })
	})
}

func (p *Phones) signOut(w http.ResponseWriter, r *http.Request) error {
	return p.on(w, r, func(ph *phone) error { return p.signOutApp(r.Context(), ph) })
}

// leave gives the phone back. It stays somebody's, locked.
func (p *Phones) leave(w http.ResponseWriter, r *http.Request) error {
	ph, _, err := p.current(r)
	if err != nil {
		return err
	}
	switch {
	case ph == nil:
	case ph.app.Removed: // nothing signs with it any more
		err = p.change(r.Context(), ph, func(row *vneid.Handset, _ *app) { row.CCCD, row.DeviceID = "", "" })
	case ph.row.DeviceID != "" && ph.app.unlocked(vneid.WorldFrom(r.Context()).Clock.Now()):
		if err := p.signOutApp(r.Context(), ph); err != nil {
			_ = p.settle(r, ph, err) // given back all the same
		}
	}
	if err != nil {
		return err
	}
	if p.holderID(r) != "" {
		if err := p.hold(w, r, holder{}); err != nil {
			return err
		}
	}
	return done(w, r)
}

// deviceName is how people recognise the phone later.
func deviceName(userAgent string) string {
	pick := func(pairs [][2]string, otherwise string) string {
		for _, pair := range pairs {
			if strings.Contains(userAgent, pair[0]) {
				return pair[1]
			}
		}
		return otherwise
	}
	browser := pick([][2]string{{"Edg", "Edge"}, {"OPR/", "Opera"}, {"coc_coc", "Cốc Cốc"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"},
		{"CriOS/", "Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}}, "")
	system := pick([][2]string{{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"}}, "")
	switch {
	case browser == "" && system == "":
		return templates.Text(templates.Vi, "phone.device.unknown")
	case browser == "":
		return system
	case system == "":
		return browser
	}
	return browser + " trên " + system
}
