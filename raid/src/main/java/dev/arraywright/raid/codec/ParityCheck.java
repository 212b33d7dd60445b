package dev.arraywright.raid.codec;

/** What P and Q say of a stripe; shards count as data 0 … n-1, then P = n and Q = n+1. */
public sealed interface ParityCheck {
  /** Data, P and Q agree. */
  record Consistent() implements ParityCheck {}

  /** Every difference is explained by this one shard being wrong, and by no other single one. */
  record OneWrong(int shard) implements ParityCheck {}

  /** No single shard explains the differences; which ones are wrong cannot be told. */
  record SeveralWrong() implements ParityCheck {}
}
