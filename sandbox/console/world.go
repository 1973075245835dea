package console

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/people"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/phone"
	"github.com/vneid-sandbox/vneid-sandbox/templates"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// The pages about the world as a whole.

// latest is how many messages the overview shows.
const latest = 3

func (c *Console) overview(w http.ResponseWriter, r *http.Request) error {
	world := vneid.WorldFrom(r.Context())
	v := templates.ConsoleOverviewView{Frame: c.Frame(w, r), OnConsole: c.on(r), Issuer: world.Issuer, Version: c.Version}
	if world.ID == vneid.DefaultWorld {
		v.Portal = c.Portal
	}
	var counts vneid.Counts
	err := c.view(r, func(tx vneid.Tx) error {
		v.Example = nil
		list, err := tx.Accounts("", perPage)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(list, easy); i >= 0 {
			v.Example = &templates.ConsoleExample{CCCD: string(list[i].CCCD), Name: list[i].Name, Phone: string(list[i].Phone),
				Password: people.Password, Passcode: phone.ReadyPasscode}
		}
		counts, err = tx.Counts(mostCounted, world.Clock.Now())
		return err
	})
	if err != nil {
		return err
	}
	for _, n := range []struct {
		what string
		n    int
	}{{"personas", counts.Accounts}, {"phones", counts.Devices}, {"clients", counts.Clients}, {"sessions", counts.Sessions}} {
		v.Counts = append(v.Counts, templates.ConsoleCount{What: n.what, Number: counted(n.n), Path: Prefix + "/" + n.what})
	}
	messages, err := c.Inbox.View(r.Context(), v.Frame, "")
	v.Messages = messages.Messages[:min(len(messages.Messages), latest)]
	if err != nil {
		return err
	}
	return c.show(w, r, v)
}

// easy is somebody with whom every way to sign in works.
func easy(a vneid.Account) bool {
	return a.Status == vneid.AccountActive && a.AccountLevel == 2 && a.Phone != "" && a.SMS == vneid.SMSInstant && a.WebLogin && a.Email != ""
}

// mostCounted bounds what a count costs: beyond, "more than" is enough.
const mostCounted = 10_000

func counted(n int) string {
	if n > mostCounted {
		return "> " + strconv.Itoa(mostCounted)
	}
	return strconv.Itoa(n)
}

func (c *Console) messages(w http.ResponseWriter, r *http.Request) error {
	inbox, err := c.Inbox.View(r.Context(), c.Frame(w, r), clip(r.URL.Query().Get("to"), 40))
	if err != nil {
		return err
	}
	return c.show(w, r, templates.ConsoleSMSView{Frame: inbox.Frame, OnConsole: c.on(r), To: inbox.To, Messages: inbox.Messages})
}

func (c *Console) listKeys(w http.ResponseWriter, r *http.Request) error {
	return c.showKeys(w, r, http.StatusOK, "")
}

func (c *Console) showKeys(w http.ResponseWriter, r *http.Request, status int, wrong string) error {
	var keys []vneid.SigningKey
	err := c.view(r, func(tx vneid.Tx) (err error) {
		keys, err = tx.SigningKeys()
		return err
	})
	if err != nil {
		return err
	}
	v := templates.ConsoleKeysView{Frame: c.Frame(w, r), OnConsole: c.on(r), JWKS: vneid.WorldFrom(r.Context()).Issuer + "/keys", Wrong: wrong}
	slices.SortFunc(keys, func(a, b vneid.SigningKey) int { return cmp.Compare(b.CreatedAt.UnixNano(), a.CreatedAt.UnixNano()) })
	for _, alg := range vneid.SigningAlgs() {
		v.Algs = append(v.Algs, algView(alg, keys))
	}
	c.Show(w, r, status, v)
	return nil
}

// algView shows the keys of one algorithm, the newest first, and which stage
// comes next.
func algView(alg string, keys []vneid.SigningKey) templates.ConsoleAlg {
	v := templates.ConsoleAlg{Alg: alg, Next: "publish"}
	for _, k := range keys {
		if k.Alg != alg {
			continue
		}
		v.Keys = append(v.Keys, templates.ConsoleKey{KID: k.KID, State: string(k.State), CreatedAt: hanoiTime(k.CreatedAt)})
		switch {
		case k.State == vneid.KeyNext:
			v.Next = "use"
		case k.State == vneid.KeyFormer && v.Next == "publish":
			v.Next = "retire"
		}
	}
	return v
}

func (c *Console) rotateKey(w http.ResponseWriter, r *http.Request) error {
	alg, stage := r.PostForm.Get("alg"), r.PostForm.Get("stage")
	if !slices.Contains(vneid.SigningAlgs(), alg) || !slices.Contains([]string{"publish", "use", "retire"}, stage) {
		return vneid.Errorf(vneid.CodeInvalid, "bad_request_parameter", "no such algorithm or stage")
	}
	err := c.RotateKey(r.Context(), alg, stage)
	if vneid.IsCode(err, vneid.CodeConflict) {
		return c.showKeys(w, r, http.StatusConflict, c.Frame(w, r).T("console.wrong.stage"))
	}
	if err != nil {
		return err
	}
	return c.goTo(w, r, "/keys", "key-rotated")
}

func (c *Console) clock(w http.ResponseWriter, r *http.Request) error {
	return c.showClock(w, r, http.StatusOK, templates.Form{})
}

func (c *Console) showClock(w http.ResponseWriter, r *http.Request, status int, f templates.Form) error {
	c.Show(w, r, status, templates.ConsoleClockView{Frame: c.Frame(w, r), OnConsole: c.on(r), Real: hanoiTime(c.Real.Now()), Form: f})
	return nil
}

func (c *Console) moveClock(w http.ResponseWriter, r *http.Request) error {
	typed := templates.Form{Values: r.PostForm, Wrong: map[string]string{}}
	wrong := func(field string) error {
		typed.Wrong[field] = c.Frame(w, r).T("console.wrong." + field)
		return c.showClock(w, r, http.StatusUnprocessableEntity, typed)
	}
	field, change := "", vneid.ClockMove(nil)
	switch {
	case r.PostForm.Has("reset"):
		change = vneid.ResetClock()
	case r.PostForm.Has("set"):
		field = "set"
		to, err := time.Parse(time.RFC3339, r.PostForm.Get(field))
		if err != nil {
			return wrong(field)
		}
		change = vneid.SetClock(to)
	default:
		field = "advance"
		by, err := time.ParseDuration(r.PostForm.Get(field))
		if err != nil {
			return wrong(field)
		}
		change = vneid.AdvanceClock(by)
	}
	err := c.MoveClock(r.Context(), change)
	if vneid.MsgKey(err) == "clock_too_far" {
		return wrong(field)
	}
	if err != nil {
		return err
	}
	return c.goTo(w, r, "/clock", "clock-moved")
}

func (c *Console) settings(w http.ResponseWriter, r *http.Request) error {
	f := c.Frame(w, r)
	return c.show(w, r, templates.ConsoleConfigView{Frame: f, OnConsole: c.on(r), Groups: c.Settings(r.Context(), f.Lang)})
}

func (c *Console) health(w http.ResponseWriter, r *http.Request) error {
	checks, facts := c.Health(r.Context())
	return c.show(w, r, templates.ConsoleHealthView{Frame: c.Frame(w, r), OnConsole: c.on(r), Checks: checks, Facts: facts})
}
