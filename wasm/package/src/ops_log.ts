// SPDX-License-Identifier: Apache-2.0
// Chunks of operations one behind the other in one block: thousands of small ones cost no object each.

const kFirstBytes = 4096;

export class OpsLog {
  private bytes_ = new Uint8Array(0);
  private size_ = 0;
  private ends_: number[] = [];

  /** Bytes of all chunks. */
  get size(): number {
    return this.size_;
  }

  /** Copies a chunk in. */
  push(chunk: Uint8Array): void {
    const { length } = chunk;
    const end = this.size_ + length;
    if (end > this.bytes_.length) {
      const grown = new Uint8Array(Math.max(kFirstBytes, this.bytes_.length * 2, end));
      grown.set(this.bytes_.subarray(0, this.size_));
      this.bytes_ = grown;
    }
    if (length < 300) for (let i = 0, at = this.size_; i < length; ++i, ++at) this.bytes_[at] = chunk[i]!;
    else this.bytes_.set(chunk, this.size_);
    this.size_ = end;
    this.ends_.push(end);
  }

  /** Copies, in the order in which they came. */
  chunks(): Uint8Array[] {
    return this.ends_.map((end, i) => this.bytes_.slice(i === 0 ? 0 : this.ends_[i - 1], end));
  }

  clear(): void {
    this.bytes_ = new Uint8Array(0);
    this.size_ = 0;
    this.ends_ = [];
  }
}
