package main

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/vneid-sandbox/vneid-sandbox/storage"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// What browsers that wait for a phone cost: memory and idle CPU of many of
// them, and how long after a confirmation its browser hears of it. The phones
// are programs that speak docs/phoneapi.md; their devices were written into
// the database before.
const (
	confirms    = 500
	perSecond   = 50
	idleFor     = 20 * time.Second
	sourcesEach = 5000 // streams from one address of ours
)

const waitingConfig = `policy:
  logins_per_minute: 0
  login_lifetime: 1h
  qr_lifetime: 1h
  app_session_lifetime: 1h
  app_fresh: 1h
`

const waitingSeed = `clients:
  - client_id: bench
    client_secret: bench-secret-of-the-benchmark
    client_name: Bench
    redirect_uris: [http://127.0.0.1:1/callback]
    consent: never
`

// waiter is a browser with its open stream.
type waiter struct {
	login, page, cookies string
	scanned, told        chan time.Time
	conn                 net.Conn
}

// handset is a phone that was unlocked.
type handset struct {
	signer  jose.Signer
	session string
}

// measureWaiting starts the program on a database of that kind with n waiting
// browsers and prints what they cost.
func measureWaiting(ctx context.Context, binary, kind string, n int) (err error) {
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s, database, err := alone(ctx, kind, dir)
	if err != nil {
		return err
	}
	if binary, err = filepath.Abs(binary); err != nil {
		return err
	}
	if s.stopDB != nil {
		defer s.stopDB()
	}
	for name, text := range map[string]string{"bench.yaml": waitingConfig, "seed.yaml": waitingSeed} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	s.args = append(s.args, "--config", filepath.Join(dir, "bench.yaml"), "--seed", filepath.Join(dir, "seed.yaml"))
	if err := s.start(ctx, binary); err != nil {
		return err
	}
	s.stop()
	phones, salt, err := writePhones(ctx, database)
	if err != nil {
		return err
	}
	if err := s.start(ctx, binary); err != nil {
		return err
	}
	defer s.stop()

	waiters := make([]*waiter, n)
	err = inParallel(n, 16, func(i int) (err error) { waiters[i], err = begin(s); return err })
	if err != nil {
		return err
	}
	time.Sleep(5 * time.Second)
	before := s.memory("VmRSS")
	opened := time.Now()
	if err := inParallel(n, 64, func(i int) error { return waiters[i].open(s, i) }); err != nil {
		return err
	}
	took := time.Since(opened)
	defer func() {
		for _, w := range waiters {
			w.conn.Close()
		}
	}()
	time.Sleep(3 * time.Second)
	peak, after := s.memory("VmHWM"), s.memory("VmRSS")
	cpu := s.cpu()
	time.Sleep(idleFor)
	cpu = s.cpu() - cpu
	fmt.Printf("%s, %d browsers wait (opened in %.1f s)\n", kind, n, took.Seconds())
	fmt.Printf("  memory: %.1f → %.1f MiB (peak %.1f), %.2f KiB a browser\n", before, after, peak, (after-before)*1024/float64(n))
	fmt.Printf("  idle: %.0f ms of CPU in %s, %.2f %% of a core, heartbeats and rereads included\n", cpu, idleFor, cpu/10/idleFor.Seconds())
	return confirmAll(s, waiters, phones, salt)
}

// writePhones puts people with unlocked phones into the database.
func writePhones(ctx context.Context, database string) (phones []*handset, salt []byte, err error) {
	store, err := storage.Open(ctx, database, storage.Options{})
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	worlds, err := store.Worlds(ctx)
	if err != nil || len(worlds) != 1 {
		return nil, nil, fmt.Errorf("%d worlds in the new database: %w", len(worlds), err)
	}
	now := time.Now()
	err = store.Update(ctx, worlds[0].ID, func(tx vneid.Tx) error {
		phones = nil
		for i := range confirms {
			c := vneid.CCCD(fmt.Sprintf("038090%06d", i))
			d, phone, err := newHandset(c, "none", now)
			if err != nil {
				return err
			}
			phones = append(phones, phone)
			a := &vneid.Account{ID: vneid.AccountID(worlds[0].Salt, c), PasswordHash: "none", UpdatedAt: now, Persona: vneid.Persona{CCCD: c, Name: "Người Thử",
				Birthdate: "1990-01-01", Gender: "male", Phone: vneid.PhoneNumber(fmt.Sprintf("0950%06d", i)), AccountLevel: 2, AccountType: "citizen",
				Status: vneid.AccountActive, WebLogin: true, SMS: vneid.SMSInstant}}
			if err := tx.PutAccount(a); err != nil {
				return err
			}
			if err := tx.PutDevice(d); err != nil {
				return err
			}
		}
		return nil
	})
	return phones, worlds[0].Salt, err
}

// newHandset makes a phone that was just unlocked, and its device for the
// database.
func newHandset(c vneid.CCCD, passcodeHash string, now time.Time) (*vneid.Device, *handset, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	session := vneid.NewSecret(rand.Reader)
	d := &vneid.Device{CCCD: c, ID: vneid.NewID(rand.Reader), PublicKey: public, PasscodeHash: passcodeHash, Name: "bench", ActivatedAt: now,
		SessionHash: vneid.SecretHash(session), SessionExpires: now.Add(time.Hour), UnlockedAt: now}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: private},
		(&jose.SignerOptions{}).WithType("phone+jwt").WithHeader("kid", d.ID))
	return d, &handset{signer, session}, err
}

var plain = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// begin sends a browser without cookies to the provider.
func begin(s *server) (*waiter, error) {
	jar, _ := cookiejar.New(nil)
	browser := &http.Client{Timeout: plain.Timeout, Transport: plain.Transport, CheckRedirect: plain.CheckRedirect, Jar: jar}
	q := url.Values{"client_id": {"bench"}, "redirect_uri": {"http://127.0.0.1:1/callback"}, "response_type": {"code"}, "scope": {"openid"}, "state": {"s"}}
	resp, err := browser.Get(s.issuer + "/authorize?" + q.Encode())
	if err != nil {
		return nil, err
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	w := &waiter{page: resp.Header.Get("Location"), scanned: make(chan time.Time, 1), told: make(chan time.Time, 1)}
	w.login = strings.TrimPrefix(w.page, "/login/")
	for _, c := range resp.Cookies() {
		w.cookies += c.Name + "=" + c.Value + "; "
	}
	if w.login == w.page {
		return nil, fmt.Errorf("authorize: %s", resp.Status)
	}
	return w, nil
}

// open opens the stream of the login's page by a connection of its own.
func (w *waiter) open(s *server, i int) (err error) {
	host := strings.TrimPrefix(s.issuer, "http://")
	from := &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+i/sourcesEach))}
	w.conn, err = (&net.Dialer{LocalAddr: from}).Dial("tcp4", "127.0.0.1:"+host[strings.LastIndexByte(host, ':')+1:])
	if err != nil {
		return err
	}
	fmt.Fprintf(w.conn, "GET %s/events HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\n\r\n", w.page, host, strings.TrimSuffix(w.cookies, "; "))
	r := bufio.NewReaderSize(w.conn, 256)
	if line, err := r.ReadString('\n'); err != nil || !strings.Contains(line, " 200 ") {
		return fmt.Errorf("open a stream: %q %w", line, err)
	}
	go func() {
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			switch strings.TrimSpace(line) {
			case "event: scanned":
				w.scanned <- time.Now()
			case "event: go":
				w.told <- time.Now()
			}
		}
	}()
	return nil
}

// call is one signed call of a phone.
func (h *handset) call(s *server, name string, members map[string]any) error {
	members["aud"], members["iat"], members["jti"], members["session"] = s.issuer+"/phoneapi/v1/"+name, time.Now().Unix(), vneid.NewID(rand.Reader), h.session
	payload, err := json.Marshal(members)
	if err != nil {
		return err
	}
	signed, err := h.signer.Sign(payload)
	if err != nil {
		return err
	}
	body, err := signed.CompactSerialize()
	if err != nil {
		return err
	}
	resp, err := plain.Post(s.issuer+"/phoneapi/v1/"+name, "application/jose", strings.NewReader(body))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, 1000))
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s %s", name, resp.Status, answer)
	}
	if name == "unlock" {
		var opened struct {
			Session string `json:"session"`
		}
		err = json.Unmarshal(answer, &opened)
		h.session = opened.Session
	}
	return err
}

// confirmAll confirms logins at a steady pace and prints when their browsers
// heard of it. The commit lies between the sending of the call and its answer.
func confirmAll(s *server, waiters []*waiter, phones []*handset, salt []byte) error {
	count := min(len(phones), len(waiters))
	err := inParallel(count, 8, func(i int) error {
		l := &vneid.Login{ID: waiters[i].login, QR: vneid.QR{Generation: 1}}
		return phones[i].call(s, "scan", map[string]any{"code": l.QRCode(s.sandbox+"/Q", salt)})
	})
	if err != nil {
		return err
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	var scans int
	var fromSending, afterAnswer, answers []time.Duration
	var failed error
	pace := time.NewTicker(time.Second / perSecond)
	defer pace.Stop()
	for i := range count {
		<-pace.C
		all.Go(func() {
			begun := time.Now()
			err := phones[i].call(s, "confirm", map[string]any{"login": waiters[i].login})
			answered := time.Now()
			var told time.Time
			if err == nil {
				select {
				case told = <-waiters[i].told:
				case <-time.After(15 * time.Second):
					err = errors.New("a browser was not told within 15 s")
				}
			}
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = err
				return
			}
			scans += len(waiters[i].scanned)
			answers = append(answers, answered.Sub(begun))
			fromSending = append(fromSending, told.Sub(begun))
			afterAnswer = append(afterAnswer, max(0, told.Sub(answered)))
		})
	}
	all.Wait()
	if failed != nil {
		return failed
	}
	fmt.Printf("  %d confirmations at %d/s (%d scans told before):\n", count, perSecond, scans)
	for _, row := range []struct {
		what string
		list []time.Duration
	}{{"the phone has its answer", answers}, {"the browser is told, from the phone's sending", fromSending}, {"the browser is told, after the phone's answer", afterAnswer}} {
		slices.Sort(row.list)
		at := func(p float64) float64 { return row.list[int(p*float64(len(row.list)-1))].Seconds() * 1000 }
		fmt.Printf("    %-48s p50 %6.2f  p99 %6.2f  max %6.2f ms\n", row.what, at(.5), at(.99), at(1))
	}
	return nil
}

// inParallel calls fn for 0 to n-1, so many at a time, until one fails.
func inParallel(n, atOnce int, fn func(i int) error) error {
	var all sync.WaitGroup
	next, failed := make(chan int), make(chan error, atOnce)
	for range atOnce {
		all.Go(func() {
			for i := range next {
				if err := fn(i); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	var err error
	for i := 0; i < n && err == nil; i++ {
		select {
		case next <- i:
		case err = <-failed:
		}
	}
	close(next)
	all.Wait()
	if err == nil {
		select {
		case err = <-failed:
		default:
		}
	}
	return err
}
