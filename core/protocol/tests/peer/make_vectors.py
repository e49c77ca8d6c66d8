"""Writes ../vectors/*.txt out of the second implementation: good messages, and evil ones that break one rule each.

Whatever a vector does not mean to break is right: an evil plaintext is properly sealed, an evil payload properly signed.
"""

import certificate_vectors
import file_vectors
import grant_vectors
import log_vectors
import request_vectors
import text_vectors
import told_vectors

if __name__ == "__main__":
    certificate_vectors.certificates()
    certificate_vectors.cards()
    request_vectors.good_requests()
    request_vectors.evil_order()
    request_vectors.evil_envelopes()
    request_vectors.evil_signatures()
    request_vectors.evil_seals()
    request_vectors.evil_contents()
    text_vectors.digits()
    text_vectors.symbols()
    file_vectors.files()
    log_vectors.leaves()
    log_vectors.keys()
    log_vectors.checkpoints()
    log_vectors.proofs()
    grant_vectors.grants()
    grant_vectors.enrolments()
    grant_vectors.security_codes()
    told_vectors.receipts()
    told_vectors.transfers()
