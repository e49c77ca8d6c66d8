//! What Sparekey's parts say to each other, and who may be believed.
