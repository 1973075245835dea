package main

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"time"
	"unicode"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// seedPassword opens every seeded account. The sign-in page shows it: this is
// a test environment and hides nothing.
const seedPassword = "Portal@2024"

// seededAccount is an account of the portal's own from the time before VNeID.
// What it says about numbers was typed by its owner and checked by nobody.
type seededAccount struct {
	Username, Name, role, cccd, cmnd, birthdate string
	Note                                        text
}

var seededAccounts = []seededAccount{
	{"an.nguyen", "Nguyễn Văn An", "citizen", "", "", "1990-03-15", text{"chưa khai số CCCD", "no CCCD given"}},
	{"an.cu", "Nguyễn Văn An", "citizen", "", "", "1990-03-15", text{"tài khoản cũ thứ hai của ông An", "a second, old account of Mr An"}},
	{"binh.le", "Lê Thị Bình", "citizen", "038190000002", "", "1990-07-02", text{"đã tự khai số CCCD", "typed her CCCD"}},
	{"hai.vu", "Vũ Văn Hải", "citizen", "", "171234567", "1960", text{"chỉ có số CMND cũ", "old CMND only"}},
	{"gia.mao", "Phan Văn Giả", "citizen", "038198000008", "", "1979-04-04", text{"tự khai số CCCD của người khác", "typed somebody else's CCCD"}},
	{"minh.canbo", "Bùi Văn Minh", "officer", "", "", "1975-09-30", text{"cán bộ", "officer"}},
}

const (
	triesAllowed = 5
	lockedFor    = 15 * time.Minute
)

type localForm struct {
	Next     string
	Other    string // the choice again
	Username string
	Message  string // a text key
	Password string // the seed's, shown as a hint
	Accounts []seededAccount
}

func (p *portal) localPage(v *visit) error {
	next := wantedPage(v.r.URL.Query().Get("next"))
	if v.account != nil {
		return v.redirect(next)
	}
	return p.showLocalForm(v, http.StatusOK, localForm{Next: next})
}

func (p *portal) showLocalForm(v *visit, status int, f localForm) error {
	f.Password, f.Accounts, f.Other = seedPassword, seededAccounts, withNext("/login", f.Next)
	v.here, v.atTheDoor = withNext("/login/local", f.Next), true
	return v.render(status, "local", "local.title", f)
}

// localSignIn checks name and password. An unknown name and a wrong password
// look the same: same text, same status, same work.
func (p *portal) localSignIn(v *visit) error {
	form, err := v.form()
	if err != nil {
		return err
	}
	ctx := v.r.Context()
	f := localForm{Next: wantedPage(form.Get("next")), Username: tidy(form.Get("username"), 64)}
	name := username(f.Username)
	password := form.Get("password")

	// Counted before the check: a hundred guesses at once still get five.
	tries, err := p.store.countTry(ctx, name)
	if err != nil {
		return err
	}
	if tries > triesAllowed {
		f.Message = "local.locked"
		return p.showLocalForm(v, http.StatusTooManyRequests, f)
	}
	o, right, err := p.checkPassword(ctx, name, password)
	if err != nil {
		return err
	}
	var facts fact
	if right {
		facts |= factPassword
	}
	state := stateBare
	if o != nil {
		state = o.state()
		if o.Officer() {
			facts |= factOfficer
		}
	}
	r := decide(state, eventSignsIn, facts)
	if r.Do == noPassword || o == nil {
		f.Message = "local.wrong"
		if tries == triesAllowed {
			f.Message = "local.locked"
		}
		return p.showLocalForm(v, http.StatusUnprocessableEntity, f)
	}
	if err := p.store.clearTries(ctx, name); err != nil {
		return err
	}
	if r.Do == noUseVNeID { // said only to who knew the password
		return p.useVNeID(v, f.Next)
	}
	cookie, err := p.store.signInLocally(ctx, v.session, o, f.Next, visitorOf(v.r))
	if err != nil {
		return err
	}
	p.setCookie(v.w, "session", cookie, 0)
	if r.Do == doAskNumber { // seed 000 bước 2
		return v.redirect("/identity/cccd")
	}
	return v.redirect(f.Next)
}

// username is a name as it is stored.
func username(typed string) string { return strings.ToLower(norm.NFC.String(tidy(typed, 64))) }

// form reads what was posted: bounded, in one piece, from the body only.
func (v *visit) form() (url.Values, error) {
	if err := v.r.ParseForm(); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return nil, &problem{kind: "too_large", err: err}
		}
		return nil, &problem{kind: "bad_form", err: errors.New("the form can not be read")}
	}
	return v.r.PostForm, nil
}

// useVNeID is where a linked account's old password leads (the rule since 01/07/2024).
func (p *portal) useVNeID(v *visit, next string) error {
	v.here, v.atTheDoor = withNext("/login/local", next), true
	return v.render(http.StatusForbidden, "uselink", "useVNeID.title", struct{ VNeID string }{withNext("/login/vneid", next)})
}

// checkPassword does the same work for names that nobody has, and for accounts
// whose password was taken away.
func (p *portal) checkPassword(ctx context.Context, username, password string) (*oldAccount, bool, error) {
	o, err := oldAccountOf(ctx, p.store.db, username)
	if err != nil {
		return nil, false, err
	}
	stored := p.nobodysHash
	if o != nil && o.password != "" {
		stored = o.password
	}
	right, err := p.hasher.verify(ctx, password, stored)
	return o, right && o != nil && o.password != "", err
}

// countTry counts one try at a name, known or not, and says which one it is.
// Tries over the limit do not prolong the lock.
func (s *store) countTry(ctx context.Context, username string) (tries int, err error) {
	return s.countTries(ctx, username, triesAllowed, lockedFor)
}

func (s *store) countTries(ctx context.Context, key string, allowed int, window time.Duration) (tries int, err error) {
	now, until := s.ms(), s.now().Add(window).UnixMilli()
	err = s.db.QueryRowContext(ctx, `INSERT INTO password_tries (username, tries, until_ms) VALUES (?1, 1, ?2)
		ON CONFLICT (username) DO UPDATE SET
			tries    = CASE WHEN until_ms <= ?3 THEN 1 ELSE tries + 1 END,
			until_ms = CASE WHEN until_ms <= ?3 OR tries < ?4 THEN ?2 ELSE until_ms END
		RETURNING tries`, hashed(key), until, now, allowed).Scan(&tries)
	if err != nil {
		return 0, fmt.Errorf("count the try: %w", err)
	}
	return tries, nil
}

func (s *store) clearTries(ctx context.Context, username string) error {
	_, err := s.db.ExecContext(ctx, "DELETE FROM password_tries WHERE username = ?", hashed(username))
	return err
}

// hasher is argon2id (RFC 9106). It takes memory KiB per call, so only as many
// run at once as there are processors: forty sign-ins at once would otherwise
// be a gigabyte.
type hasher struct {
	memory, passes uint32
	slots          chan struct{}
}

func newHasher(memory, passes uint32) hasher {
	return hasher{memory, passes, make(chan struct{}, runtime.GOMAXPROCS(0))}
}

func (h hasher) hash(password string) string {
	salt := make([]byte, 16)
	rand.Read(salt)
	h.slots <- struct{}{}
	defer func() { <-h.slots }()
	key := argon2.IDKey([]byte(password), salt, h.passes, h.memory, 1, 32)
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=1$%s$%s", h.memory, h.passes,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key))
}

func (h hasher) verify(ctx context.Context, password, stored string) (bool, error) {
	tooLong := len(password) > 200 // nobody has such a password; it costs no more than others
	if tooLong {
		password = password[:200]
	}
	part := strings.Split(stored, "$")
	if len(part) != 6 {
		return false, errors.New("a stored password is not an argon2id hash")
	}
	var memory, passes uint32
	if _, err := fmt.Sscanf(part[3], "m=%d,t=%d,p=1", &memory, &passes); err != nil {
		return false, fmt.Errorf("a stored password is not an argon2id hash: %w", err)
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(part[4])
	want, err2 := base64.RawStdEncoding.DecodeString(part[5])
	if err := errors.Join(err1, err2); err != nil {
		return false, fmt.Errorf("a stored password is not an argon2id hash: %w", err)
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-time.After(5 * time.Second):
		return false, &problem{kind: "busy", err: errors.New("no free place to check a password")}
	case <-ctx.Done():
		return false, ctx.Err()
	}
	got := argon2.IDKey([]byte(password), salt, passes, memory, 1, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1 && !tooLong, nil
}

// passwordProblem is the text key of what is wrong with a new password; "" for nothing.
func passwordProblem(password, again string) string {
	var lower, upper, digit, special bool
	for _, r := range password {
		switch {
		case unicode.IsLower(r):
			lower = true
		case unicode.IsUpper(r):
			upper = true
		case unicode.IsDigit(r):
			digit = true
		default:
			special = true
		}
	}
	switch n := len([]rune(password)); {
	case n < 8 || n > 100 || len(password) > 200 || !lower || !upper || !digit || !special || password == seedPassword:
		return "unlink.weak"
	case password != again:
		return "unlink.unequal"
	}
	return ""
}
