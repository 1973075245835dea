package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/op/password"
	"github.com/vneid-sandbox/vneid-sandbox/storage"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

const thePassword = "Sandbox@2024"

// light is the cost of the password hashes that cost next to nothing. The
// program reads the cost from the hash itself, so a login of a person with
// such a hash is a login without its password hash, and nothing has to be
// subtracted.
var light = password.Params{MemoryKiB: 8, Passes: 1, Threads: 1}

// person is somebody who signs in.
type person struct {
	cccd  vneid.CCCD
	phone vneid.PhoneNumber
}

// lightPerson and realPerson name the people of the benchmark: those whose
// password costs nothing to check, and those with a hash as everybody has it.
func lightPerson(i int) person { return numbered("038090", "0950", i) }
func realPerson(i int) person  { return numbered("038091", "0951", i) }

func numbered(cccd, phone string, i int) person {
	return person{vneid.CCCD(fmt.Sprintf("%s%06d", cccd, i)), vneid.PhoneNumber(fmt.Sprintf("%s%06d", phone, i))}
}

// populate writes what is in the database before the program starts: the
// people, and the tokens of those who signed in earlier. Through YAML a
// million people would take gigabytes, and tokens cannot come that way at all.
func populate(ctx context.Context, database string, v variant, people int) (found *phones, err error) {
	store, err := storage.Open(ctx, database, storage.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	worlds, err := store.Worlds(ctx)
	if err != nil {
		return nil, err
	}
	if len(worlds) != 1 {
		return nil, fmt.Errorf("%d worlds in the new database", len(worlds))
	}
	w := worlds[0]
	hash, err := password.New(password.Default(), 1).Hash(ctx, thePassword)
	if err != nil {
		return nil, err
	}
	cheap, err := password.New(light, 1).Hash(ctx, thePassword)
	if err != nil {
		return nil, err
	}
	account := func(p person, hash string) *vneid.Account {
		return &vneid.Account{ID: vneid.AccountID(w.Salt, p.cccd), PasswordHash: hash, UpdatedAt: time.Now(), Persona: vneid.Persona{
			CCCD: p.cccd, Name: "Người Thử", Birthdate: "1990-01-01", Gender: "male", Phone: p.phone,
			AccountLevel: 2, AccountType: "citizen", Status: vneid.AccountActive, WebLogin: true, SMS: vneid.SMSInstant}}
	}
	err = inBatches(ctx, store, w.ID, people, func(tx vneid.Tx, i int) error {
		return tx.PutAccount(account(realPerson(i), hash))
	})
	if err != nil {
		return nil, err
	}
	err = inBatches(ctx, store, w.ID, max(people, v.accounts), func(tx vneid.Tx, i int) error {
		return tx.PutAccount(account(lightPerson(i), cheap))
	})
	if err != nil {
		return nil, err
	}
	now := time.Now()
	pin, err := password.New(light, 1).Hash(ctx, passcode)
	if err != nil {
		return nil, err
	}
	found = &phones{w.Salt, map[vneid.CCCD]*handset{}}
	err = inBatches(ctx, store, w.ID, mostPhones, func(tx vneid.Tx, i int) error {
		d, phone, err := newHandset(qrPerson(i).cccd, pin, now)
		if err != nil {
			return err
		}
		found.of[d.CCCD] = phone
		return errors.Join(tx.PutAccount(account(qrPerson(i), cheap)), tx.PutDevice(d))
	})
	if err != nil {
		return nil, err
	}
	return found, inBatches(ctx, store, w.ID, v.tokens, func(tx vneid.Tx, i int) error {
		id, p := fmt.Sprintf("earlier-%d", i), lightPerson(i%people)
		return tx.InsertTokens(&vneid.Token{Hash: vneid.SecretHash(id), Kind: vneid.AccessToken, GrantID: id, ClientID: "bench",
			CCCD: p.cccd, Subject: vneid.AccountID(w.Salt, p.cccd), Scopes: []string{"openid", "profile"}, SessionID: id,
			Auth:     vneid.Authentication{Time: now, ACR: "LoA2", AMR: []string{"pwd", "otp"}},
			IssuedAt: now, ExpiresAt: now.Add(24 * time.Hour)})
	})
}

// phones are those of the people who sign in by QR code, with the salt that the
// codes are made of.
type phones struct {
	salt []byte
	of   map[vneid.CCCD]*handset
}

// mostPhones is how many there are: a phone may call 200 times a minute, and
// signs in with three calls.
const mostPhones = 2000

// inBatches keeps a transaction short enough for its log to stay small.
func inBatches(ctx context.Context, store vneid.Store, world string, n int, put func(tx vneid.Tx, i int) error) error {
	const size = 1000
	for from := 0; from < n; from += size {
		err := store.Update(ctx, world, func(tx vneid.Tx) error {
			for i := from; i < min(from+size, n); i++ {
				if err := put(tx, i); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("fill the database: %w", err)
		}
	}
	return nil
}
