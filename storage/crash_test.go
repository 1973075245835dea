package storage

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// These make the test binary the program that TestMain describes.
const (
	childEnv = "STORAGE_TEST_CHILD" // what it does: a key of children
	urlEnv   = "STORAGE_TEST_URL"
)

// children are programs on the store of another process. They print a line for
// each commit that was acknowledged, in one write: lines stay whole.
var children = map[string]func(*Store) error{
	"commit": func(s *Store) error {
		return fourTimes(func(g int) error {
			for i := range 100_000 { // the test kills us long before
				if err := commitPair(s, fmt.Sprintf("%d-%d", g, i)); err != nil {
					return err
				}
				fmt.Printf("%d-%d\n", g, i)
			}
			return nil
		})
	},
	"claim": func(s *Store) error {
		return claimAll(s, func(claimed string) { fmt.Println(claimed) })
	},
	"open": func(*Store) error { return nil },
	"full": fillDisk,
}

// atEnd stops what several tests share.
var atEnd []func()

// TestMain is either the tests or one of the children.
func TestMain(m *testing.M) {
	name := os.Getenv(childEnv)
	if name == "" {
		code := m.Run()
		for _, end := range atEnd {
			end()
		}
		os.Exit(code)
	}
	s, err := Open(context.Background(), os.Getenv(urlEnv), Options{})
	if err == nil {
		err = errors.Join(children[name](s), s.Close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// fillDisk commits until the system refuses to let a file grow, as a full disk
// does, makes room again, and goes on.
func fillDisk(s *Store) error {
	signal.Ignore(syscall.SIGXFSZ)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	room := limit.Cur
	for round := range 3 {
		limit.Cur = uint64(1+round) << 20
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			return err
		}
		err := fourTimes(func(g int) error {
			for i := range 100_000 {
				id := fmt.Sprintf("%d-%d-%d", round, g, i)
				if err := commitPair(s, id); err != nil {
					return err
				}
				fmt.Println(id)
			}
			return nil
		})
		if !errors.Is(err, vneid.ErrUnavailable) {
			return fmt.Errorf("on a full disk: %w, want ErrUnavailable", err)
		}
		if err := s.Ping(context.Background()); err != nil {
			return fmt.Errorf("reading on a full disk: %w", err)
		}
		limit.Cur = room
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			return err
		}
		if err := commitPair(s, fmt.Sprint("again ", round)); err != nil {
			return fmt.Errorf("after room was made: %w", err)
		}
		fmt.Println("again", round)
	}
	return nil
}

func TestADiskFullUnderTheLogLosesNothingAndIsUsedAgain(t *testing.T) {
	url := "sqlite:" + filepath.Join(t.TempDir(), "x.db")
	out, err := child("full", url).Output()
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if err != nil || len(lines) < 10 || lines[len(lines)-1] != "again 2" {
		t.Fatalf("%d acknowledged, %v", len(lines), err)
	}
	checkAcknowledged(t, open(t, url), lines, 0)
}

func child(name, url string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+name, urlEnv+"="+url)
	cmd.Stderr = os.Stderr
	return cmd
}

// linesUntilKilled runs a child, calls first at its first line, kills it after
// so many, and returns all that it printed.
func linesUntilKilled(t *testing.T, name, url string, after int, first func()) []string {
	t.Helper()
	cmd := child(name, url)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var printed []string
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		printed = append(printed, lines.Text())
		switch len(printed) {
		case 1:
			first()
		case after:
			cmd.Process.Kill() // SIGKILL; what it printed before is still read
		}
	}
	cmd.Wait()
	return printed
}

func fourTimes(f func(g int) error) error {
	errs := make([]error, 4)
	var all sync.WaitGroup
	for g := range errs {
		all.Go(func() { errs[g] = f(g) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// commitPair commits rows that belong together.
func commitPair(s *Store, id string) error {
	return s.Update(context.Background(), "w", func(tx vneid.Tx) error {
		return errors.Join(
			tx.InsertLogin(&vneid.Login{ID: id, Issuer: strings.Repeat("x", 500)}),
			tx.InsertTokens(&vneid.Token{Hash: id, GrantID: id}),
			tx.PutAccount(&vneid.Account{Persona: vneid.Persona{CCCD: vneid.CCCD(id), Name: "Nguyễn Văn An"}}))
	})
}

// Codes are claimed by SaveLogin, refresh tokens by UseToken.
const claims = 1200

func claimName(i int) string { return fmt.Sprintf("claim %04d", i) }

// claimAll tries to redeem every code and to use every refresh token, from
// four goroutines, and reports what it got.
func claimAll(s *Store, got func(string)) error {
	return fourTimes(func(int) error {
		for i := range claims {
			won := false
			err := s.Update(context.Background(), "w", func(tx vneid.Tx) (err error) {
				won = false
				if i%2 == 0 {
					won, err = tx.UseToken(claimName(i), time.UnixMilli(1))
					return err
				}
				l, err := tx.LoginByCode(claimName(i))
				if err != nil || l.State == vneid.StateRedeemed {
					return err
				}
				l.State, won = vneid.StateRedeemed, true
				if err := tx.InsertTokens(&vneid.Token{Hash: "of " + claimName(i), GrantID: l.ID}); err != nil {
					return err
				}
				return tx.SaveLogin(l)
			})
			if err != nil {
				return err
			}
			if won {
				got(claimName(i))
			}
		}
		return nil
	})
}

func TestAKilledProcessLosesNothingAcknowledged(t *testing.T) {
	for round := range 3 {
		loseNothing(t, "sqlite:"+filepath.Join(t.TempDir(), "x.db"), 150+100*round)
	}
}

// loseNothing kills a process in a burst of commits.
func loseNothing(t *testing.T, url string, after int) {
	t.Helper()
	acknowledged := linesUntilKilled(t, "commit", url, after, func() {})
	if len(acknowledged) < after {
		t.Fatalf("only %d commits were acknowledged", len(acknowledged))
	}
	s := open(t, url)
	checkAcknowledged(t, s, acknowledged, 4) // each of the four writers may have been between its commit and its line
	if err := commitPair(s, "after"); err != nil {
		t.Errorf("writing after the crash: %v", err)
	}
}

// checkAcknowledged finds every pair that was acknowledged, no half ones, and
// no more than a few others.
func checkAcknowledged(t *testing.T, s *Store, acknowledged []string, others int) {
	t.Helper()
	checkIntegrity(t, s)
	var logins, tokens, accounts, terms int
	err := s.View(context.Background(), "w", func(v vneid.Tx) error {
		for _, id := range acknowledged {
			_, err1 := v.Login(id)
			_, err2 := v.Token(id)
			_, err3 := v.Account(vneid.CCCD(id))
			if err := errors.Join(err1, err2, err3); err != nil {
				t.Errorf("%s was acknowledged: %v", id, err)
			}
		}
		logins, tokens, accounts, terms = count(t, v, "logins"), count(t, v, "tokens"), count(t, v, "accounts"), count(t, v, "account_terms")
		return nil
	})
	n := len(acknowledged)
	if err != nil || logins < n || logins > n+others || tokens != logins || accounts != logins || terms != 4*logins {
		t.Errorf("%d acknowledged; stored %d logins, %d tokens, %d accounts, %d terms, %v", n, logins, tokens, accounts, terms, err)
	}
}

func count(t *testing.T, v vneid.Tx, table string) int {
	t.Helper()
	var n int64
	if err := v.(*tx).orm().Table(table).Count(&n).Error; err != nil {
		t.Fatal(err)
	}
	return int(n)
}

// checkIntegrity asks SQLite; PostgreSQL was not killed.
func checkIntegrity(t *testing.T, s *Store) {
	t.Helper()
	db, ok := s.db.(*sqliteDB)
	if !ok {
		return
	}
	var answer string
	if err := db.readers.QueryRow("PRAGMA integrity_check").Scan(&answer); err != nil || answer != "ok" {
		t.Errorf("integrity_check: %s, %v", answer, err)
	}
}

func TestTwoProcessesClaimNothingTwiceThoughOneIsKilled(t *testing.T) {
	claimOnce(t, "sqlite:"+filepath.Join(t.TempDir(), "x.db"))
}

// claimOnce lets two processes claim the same codes and refresh tokens, and
// kills one of them on the way.
func claimOnce(t *testing.T, url string) {
	t.Helper()
	s := open(t, url)
	err := s.Update(context.Background(), "w", func(tx vneid.Tx) error {
		for i := range claims {
			err := tx.InsertTokens(&vneid.Token{Hash: claimName(i)})
			if err = errors.Join(err, tx.InsertLogin(&vneid.Login{ID: claimName(i), CodeHash: claimName(i)})); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var theirs []string
	begun, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		theirs = linesUntilKilled(t, "claim", url, claims/20, func() { close(begun) })
	}()
	select {
	case <-begun:
	case <-ended:
	}
	var mu sync.Mutex
	winners := map[string]int{}
	win := func(name string) { mu.Lock(); winners[name]++; mu.Unlock() }
	err = claimAll(s, win)
	<-ended
	ours := len(winners)
	for _, name := range theirs {
		win(name)
	}
	if err != nil || ours == 0 || len(theirs) == 0 {
		t.Fatalf("we claimed %d, the killed process %d, %v", ours, len(theirs), err)
	}
	stored := 0
	err = s.View(context.Background(), "w", func(tx vneid.Tx) error {
		for i := range claims {
			name := claimName(i)
			k, err1 := tx.Token(name)
			l, err2 := tx.Login(name)
			_, err3 := tx.Token("of " + name)
			if err := errors.Join(err1, err2); err != nil {
				return err
			}
			claimed := !k.UsedAt.IsZero() || l.State == vneid.StateRedeemed
			if claimed {
				stored++
			}
			if winners[name] > 1 || winners[name] == 1 && !claimed || (err3 == nil) != (l.State == vneid.StateRedeemed) {
				t.Errorf("%s: acknowledged %d times, used %v, code %q, its token: %v", name, winners[name], k.UsedAt, l.State, err3)
			}
		}
		return nil
	})
	// Each of the four goroutines killed may have been between its commit and
	// its line.
	if err != nil || stored != claims || len(winners) < claims-4 {
		t.Errorf("%d claimed, %d acknowledged, %v", stored, len(winners), err)
	}
	checkIntegrity(t, s)
}

func TestTwoProcessesMayStartOnANewDatabase(t *testing.T) {
	for range 3 {
		startTogether(t, "sqlite:"+filepath.Join(t.TempDir(), "x.db"))
	}
}

// startTogether lets processes meet one empty database.
func startTogether(t *testing.T, url string) {
	t.Helper()
	if err := fourTimes(func(int) error { return child("open", url).Run() }); err != nil {
		t.Error(err)
	}
	if err := commitPair(open(t, url), "after"); err != nil {
		t.Error(err)
	}
}

func TestABurstLeavesTheDatabaseWhole(t *testing.T) {
	s := open(t, "sqlite:"+filepath.Join(t.TempDir(), "x.db"))
	var writers sync.WaitGroup
	for g := range 8 {
		writers.Go(func() {
			for i := range 60 {
				if err := commitPair(s, fmt.Sprintf("%d-%d", g, i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	checkIntegrity(t, s)
}
