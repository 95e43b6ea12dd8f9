"""From a file to mono float32 samples: libsndfile, FFmpeg (PyAV), streaming and resampling."""
