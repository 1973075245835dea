package main

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// seedPassword opens every seeded account. The sign-in page shows it: this is
// a test environment and hides nothing.
const seedPassword = "Portal@2024"

// seededAccount is an account of the portal's own from the time before VNeID.
// What it says about numbers was typed by its owner and checked by nobody.
type seededAccount struct {
	Username, Name, role, cccd, cmnd string
	Note                             text
}

var seededAccounts = []seededAccount{
	{"an.nguyen", "Nguyễn Văn An", "citizen", "", "", text{"chưa khai số CCCD", "no CCCD given"}},
	{"an.cu", "Nguyễn Văn An", "citizen", "", "", text{"tài khoản cũ thứ hai của ông An", "a second, old account of Mr An"}},
	{"binh.le", "Lê Thị Bình", "citizen", "038190000002", "", text{"đã tự khai số CCCD", "typed her CCCD"}},
	{"hai.vu", "Vũ Văn Hải", "citizen", "", "171234567", text{"chỉ có số CMND cũ", "old CMND only"}},
	{"gia.mao", "Phan Văn Giả", "citizen", "038198000008", "", text{"tự khai số CCCD của người khác", "typed somebody else's CCCD"}},
	{"minh.canbo", "Bùi Văn Minh", "officer", "", "", text{"cán bộ", "officer"}},
}

// seedLocalAccounts fills an empty portal.
func (p *portal) seedLocalAccounts(ctx context.Context) error {
	return p.store.tx(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM local_logins").Scan(&n); err != nil || n > 0 {
			return err
		}
		for _, s := range seededAccounts {
			id := secret()
			if _, err := tx.ExecContext(ctx, "INSERT INTO accounts (id, name, created_ms) VALUES (?, ?, ?)", id, s.Name, p.store.ms()); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, "INSERT INTO local_logins (username, account_id, password, role, cccd, cmnd) VALUES (?, ?, ?, ?, ?, ?)",
				s.Username, id, p.hasher.hash(seedPassword), s.role, s.cccd, s.cmnd); err != nil {
				return err
			}
		}
		return nil
	})
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
	if err := v.r.ParseForm(); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return &problem{kind: "too_large", err: err}
		}
		return &problem{kind: "bad_form", err: errors.New("the form can not be read")}
	}
	ctx := v.r.Context()
	f := localForm{Next: wantedPage(v.r.PostForm.Get("next")), Username: tidy(v.r.PostForm.Get("username"), 64)}
	name := strings.ToLower(norm.NFC.String(f.Username))
	password := v.r.PostForm.Get("password")

	// Counted before the check: a hundred guesses at once still get five.
	tries, err := p.store.countTry(ctx, name)
	if err != nil {
		return err
	}
	if tries > triesAllowed {
		f.Message = "local.locked"
		return p.showLocalForm(v, http.StatusTooManyRequests, f)
	}
	id, stored, err := p.store.localLogin(ctx, name)
	if err != nil {
		return err
	}
	known := stored != ""
	if !known {
		stored = p.nobodysHash // the same work for nobody
	}
	right, err := p.hasher.verify(ctx, password, stored)
	if err != nil {
		return err
	}
	if !known || !right {
		f.Message = "local.wrong"
		if tries == triesAllowed {
			f.Message = "local.locked"
		}
		return p.showLocalForm(v, http.StatusUnprocessableEntity, f)
	}
	if err := p.store.clearTries(ctx, name); err != nil {
		return err
	}
	cookie, err := p.store.signIn(ctx, v.session, session{accountID: id, method: "local", username: name, authTime: p.now()}, nil)
	if err != nil {
		return err
	}
	p.setCookie(v.w, "session", cookie, 0)
	return v.redirect(f.Next)
}

func (s *store) localLogin(ctx context.Context, username string) (accountID, password string, err error) {
	err = s.db.QueryRowContext(ctx, "SELECT account_id, password FROM local_logins WHERE username = ?", username).Scan(&accountID, &password)
	if errors.Is(err, sql.ErrNoRows) {
		return "", "", nil
	}
	return accountID, password, err
}

// countTry counts one try at a name, known or not, and says which one it is.
// Tries over the limit do not prolong the lock.
func (s *store) countTry(ctx context.Context, username string) (tries int, err error) {
	now, until := s.ms(), s.now().Add(lockedFor).UnixMilli()
	err = s.db.QueryRowContext(ctx, `INSERT INTO password_tries (username, tries, until_ms) VALUES (?1, 1, ?2)
		ON CONFLICT (username) DO UPDATE SET
			tries    = CASE WHEN until_ms <= ?3 THEN 1 ELSE tries + 1 END,
			until_ms = CASE WHEN until_ms <= ?3 OR tries < ?4 THEN ?2 ELSE until_ms END
		RETURNING tries`, hashed(username), until, now, triesAllowed).Scan(&tries)
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
