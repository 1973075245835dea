package console

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/phone"
	"github.com/vneid-sandbox/vneid-sandbox/templates"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func (c *Console) listPhones(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	after := vneid.CCCD(clip(query.Get("after"), 20))
	v := templates.ConsolePhonesView{Frame: c.Frame(w, r), OnConsole: c.on(r), Paging: templates.Paging{First: after == ""}}
	status := http.StatusOK
	if q := strings.TrimSpace(clip(query.Get("cccd"), 64)); q != "" {
		n, err := vneid.ParseCCCD(q, nowYear(r))
		if err == nil {
			err = c.view(r, func(tx vneid.Tx) error {
				_, err := tx.Account(n)
				return err
			})
		}
		var e *vneid.Error
		switch {
		case err == nil:
			return c.goTo(w, r, "/phones/"+string(n), "")
		case isNotFound(err):
			v.Wrong = v.T("console.wrong.nobody")
		case errors.As(err, &e) && templates.HasText(e.MsgKey):
			v.Wrong = v.T(e.MsgKey, e.Args...)
		default:
			return err
		}
		v.Query, status = q, http.StatusNotFound
	}
	now := vneid.WorldFrom(r.Context()).Clock.Now()
	err := c.view(r, func(tx vneid.Tx) error {
		v.Phones, v.Next = nil, ""
		list, err := tx.Devices(after, perPage+1)
		if err != nil {
			return err
		}
		if len(list) > perPage {
			list = list[:perPage]
			v.Next = next("", string(list[perPage-1].CCCD))
		}
		for i := range list {
			a, err := tx.Account(list[i].CCCD)
			if isNotFound(err) {
				continue
			}
			if err != nil {
				return err
			}
			row, _, err := phoneView(tx, a, &list[i], now)
			if err != nil {
				return err
			}
			v.Phones = append(v.Phones, row)
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.Show(w, r, status, v)
	return nil
}

func phoneView(tx vneid.Tx, a *vneid.Account, d *vneid.Device, now time.Time) (templates.ConsolePhone, phone.Held, error) {
	held, err := phone.Look(tx, d, now)
	return templates.ConsolePhone{CCCD: string(a.CCCD), Name: a.Name, Device: d.Name, ActivatedAt: hanoiTime(d.ActivatedAt),
		Ready: held.Ready, Unlocked: held.Unlocked, WebLogin: a.WebLogin}, held, err
}

// recently is how long sign-ins are shown: their rows leave the store then.
const recently = 24 * time.Hour

func (c *Console) phone(w http.ResponseWriter, r *http.Request) error {
	n, err := number(r)
	if err != nil {
		return err
	}
	now := vneid.WorldFrom(r.Context()).Clock.Now()
	v := templates.ConsolePhoneView{Frame: c.Frame(w, r), OnConsole: c.on(r)}
	err = c.view(r, func(tx vneid.Tx) error {
		v.Phone, v.WhyNone, v.Passcode, v.Scanned = nil, "", "", ""
		a, err := tx.Account(n)
		if err != nil {
			return err
		}
		v.Person = personView(&a.Persona)
		device, err := tx.DeviceOf(n)
		switch {
		case isNotFound(err):
			v.WhyNone = phone.WhyNotReady(a)
		case err != nil:
			return err
		default:
			row, held, err := phoneView(tx, a, device, now)
			if err != nil {
				return err
			}
			v.Phone, v.Scanned = &row, held.Scanned
			if held.Ready {
				v.Passcode = phone.ReadyPasscode
			}
		}
		v.SignIns, err = signIns(tx, v.Frame, n, now)
		return err
	})
	if err != nil {
		return missing(err, "nobody has this number")
	}
	return c.show(w, r, v)
}

// signIns are those of somebody, the newest first.
func signIns(tx vneid.Tx, f templates.Frame, n vneid.CCCD, now time.Time) (list []templates.ConsoleSignIn, err error) {
	logins, err := tx.LoginsOf(n, now.Add(-recently), perPage)
	if err != nil {
		return nil, err
	}
	for i := range logins {
		l := &logins[i]
		if l.SessionID == "" {
			continue
		}
		row := templates.ConsoleSignIn{Login: l.ID, Host: hostOf(l.Request.RedirectURI), Browser: l.Origin.Browser, IP: l.Origin.IP, At: hanoiTime(l.Auth.Time),
			Method: f.T("phone.method." + l.Method())}
		if row.Client, err = nameOf(tx, l.Request.ClientID); err != nil {
			return nil, err
		}
		session, err := tx.SessionByID(l.SessionID)
		if err != nil && !isNotFound(err) {
			return nil, err
		}
		if err == nil && session.Alive(now) {
			row.Session = session.ID
		}
		list = append(list, row)
	}
	return list, nil
}

// nameOf is the name of a client, or its id when it is gone.
func nameOf(tx vneid.Tx, id string) (string, error) {
	client, err := tx.Client(id)
	if isNotFound(err) {
		return id, nil
	}
	if err != nil {
		return "", err
	}
	return client.ClientName, nil
}

func (c *Console) makePhone(w http.ResponseWriter, r *http.Request) error {
	n, err := number(r)
	if err != nil {
		return err
	}
	if err := c.Phones.MakeReady(r.Context(), n); err != nil {
		return missing(err, "nobody has this number")
	}
	return c.goTo(w, r, "/phones/"+string(n), "phone-made")
}

// mostSessions bounds the list: whoever has more wants the API.
const mostSessions = 100

func (c *Console) listSessions(w http.ResponseWriter, r *http.Request) error {
	now := vneid.WorldFrom(r.Context()).Clock.Now()
	v := templates.ConsoleSessionsView{Frame: c.Frame(w, r), OnConsole: c.on(r), Paging: templates.Paging{First: true}}
	err := c.view(r, func(tx vneid.Tx) error {
		v.Sessions = nil
		list, err := tx.Sessions("", mostSessions)
		if err != nil {
			return err
		}
		for i := range list {
			if !list[i].Alive(now) {
				continue
			}
			row, err := sessionView(tx, &list[i])
			if err != nil {
				return err
			}
			v.Sessions = append(v.Sessions, row)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.show(w, r, v)
}

func sessionView(tx vneid.Tx, s *vneid.Session) (row templates.ConsoleSession, err error) {
	row = templates.ConsoleSession{ID: s.ID, CCCD: string(s.CCCD), Name: string(s.CCCD), ACR: s.Auth.ACR, Method: strings.Join(s.Auth.AMR, " "),
		CreatedAt: hanoiTime(s.CreatedAt), ExpiresAt: hanoiTime(s.ExpiresAt)}
	a, err := tx.Account(s.CCCD)
	if err == nil {
		row.Name = a.Name
	} else if !isNotFound(err) {
		return row, err
	}
	heard, err := tx.ClientsOfSession(s.ID)
	if err != nil {
		return row, err
	}
	for _, h := range heard {
		name, err := nameOf(tx, h.ClientID)
		if err != nil {
			return row, err
		}
		row.Clients = append(row.Clients, name)
	}
	return row, nil
}

func (c *Console) endSession(w http.ResponseWriter, r *http.Request) error {
	now := vneid.WorldFrom(r.Context()).Clock.Now()
	err := c.update(r, func(tx vneid.Tx) error { return vneid.EndSession(tx, r.PathValue("sid"), now) })
	if err != nil {
		return missing(err, "no such session")
	}
	return c.goTo(w, r, "/sessions", "session-ended")
}
