"""From samples to log-mel windows: specification, mel transform, trimming, windowing, peaks."""
