// Package people is who lives in the sandbox: the invented citizens and the
// clients of the default seed, those of a seed file, and the population, which
// is everybody with a number of the 24th century (population.go, special.go).
//
// It writes the former into a vneid.Store, once per world and seed, and puts
// the latter in front of one (populate.go). It invents nobody by chance: the
// same seed is the same people, and the same number the same person.
package people

import (
	"context"
	"errors"
	"fmt"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Password of every persona. No secret: it stands on the landing page.
const Password = "Sandbox@2024"

// PasswordHash is a hash of Password at the real cost. Making it at each start
// would take 20 ms and 19 MiB, which stay with an idle process for long; and as
// the password is no secret, its salt need be none.
const PasswordHash = "$argon2id$v=19$m=19456,t=2,p=1$jQthnrwuxy+/yaOx4M0D2A$XhROIWu6Bpza2UH8Nb34tVXgiWafEbf1CQWyDcI9vDY"

// Client is a client with its secret, as configuration files give it.
type Client struct {
	vneid.ClientMetadata
	Secret string `yaml:"client_secret"`
	// AnyPort is RFC 8252 §7.3 for "your own RP". No file can set it.
	AnyPort bool
}

// Data is a seed. Version says which: a world that holds it is not seeded
// again.
type Data struct {
	Version  string
	Personas []vneid.Persona
	Clients  []Client
	Register []vneid.RegisterEntry // where the population database differs from the accounts
	Askers   []Asker               // who may ask it
}

// Asker is a consumer of the population database with its key.
type Asker struct {
	Name      string `yaml:"name"`
	Key       string `yaml:"key"`
	PerMinute int    `yaml:"per_minute"`
}

// None is the seed of an empty world.
func None() Data { return Data{Version: "none"} }

// Seed writes the people and clients of d into the world, unless its record
// says that they are there. It replaces what has the same number or client_id
// and removes nothing. A crash in the middle leaves no trace in the record, so
// the next start begins again.
//
// passwordHash is that of [Password]; everybody gets a copy, since a hash takes
// 20 ms.
func Seed(ctx context.Context, store vneid.Store, w *vneid.World, passwordHash string, d Data) error {
	record, err := Record(ctx, store, w)
	if err != nil {
		return err
	}
	if record.SeedVersion == d.Version {
		return nil
	}
	if err := Put(ctx, store, w, passwordHash, d, nil); err != nil {
		return fmt.Errorf("seed the people: %w", err)
	}
	if err := PutClients(ctx, store, w, d.Clients); err != nil {
		return fmt.Errorf("seed the clients: %w", err)
	}
	if err := putAskers(ctx, store, w, d.Askers); err != nil {
		return fmt.Errorf("seed the population database: %w", err)
	}
	record.SeedVersion = d.Version
	return store.PutWorld(ctx, record)
}

// Record is what the store keeps of a world; a fresh record with the world's
// salt when it keeps nothing yet.
func Record(ctx context.Context, store vneid.Store, w *vneid.World) (vneid.WorldRecord, error) {
	record, err := store.World(ctx, w.ID)
	if errors.Is(err, vneid.ErrNotFound) {
		return vneid.WorldRecord{ID: w.ID, Salt: w.Salt}, nil
	}
	if err != nil {
		return vneid.WorldRecord{}, fmt.Errorf("read the world: %w", err)
	}
	return record, nil
}

func putAskers(ctx context.Context, store vneid.Store, w *vneid.World, askers []Asker) error {
	return store.Update(ctx, w.ID, func(tx vneid.Tx) error {
		for _, a := range askers {
			if err := tx.PutRegisterConsumer(&vneid.RegisterConsumer{KeyHash: vneid.SecretHash(a.Key), Name: a.Name, PerMinute: a.PerMinute}); err != nil {
				return err
			}
		}
		return nil
	})
}

// PutClients adds or replaces clients.
func PutClients(ctx context.Context, store vneid.Store, w *vneid.World, clients []Client) error {
	if len(clients) == 0 {
		return nil
	}
	return store.Update(ctx, w.ID, func(tx vneid.Tx) error {
		for _, c := range clients {
			now := w.Clock.Now()
			row := vneid.Client{ClientMetadata: c.ClientMetadata, LoopbackAnyPort: c.AnyPort, CreatedAt: now, UpdatedAt: now}
			if c.Secret != "" {
				row.SecretHash = vneid.SecretHash(c.Secret)
			}
			if err := tx.PutClient(&row); err != nil {
				return err
			}
		}
		return nil
	})
}
