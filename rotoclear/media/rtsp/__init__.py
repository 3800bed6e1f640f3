"""The film over RTSP 1.0 (RFC 2326): for players, recorders and other machines."""
