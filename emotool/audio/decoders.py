"""FFmpeg's decoders that may be used."""

from typing import Final

__all__ = ["DECODERS"]

_ENDS: Final = ("le", "be")


DECODERS: Final = frozenset(
    {
        *("aac", "aac_latm", "alac", "amrnb", "amrwb", "ac3", "eac3", "dca", "flac", "opus"),
        *("libopus", "mp1", "mp1float", "mp2", "mp2float", "mp3", "mp3float", "vorbis"),
        *("libvorbis", "speex", "libspeex", "wmav1", "wmav2", "wmapro", "wmalossless", "wmavoice"),
        *(
            "ape",
            "wavpack",
            "tta",
            "mpc7",
            "mpc8",
            "tak",
            "dst",
            "shorten",
            "als",
            "truespeech",
            "gsm",
            "gsm_ms",
        ),
        *("g722", "g723_1", "g726", "g726le", "g729", "ilbc", "qcelp", "evrc", "dss_sp"),
        *("dsd_lsbf", "dsd_msbf", "dsd_lsbf_planar", "dsd_msbf_planar", "nellymoser", "mace3"),
        *("mace6", "qdm2", "adpcm_g726", "adpcm_g726le", "adpcm_g722", "adpcm_ms"),
        *("adpcm_ima_wav", "adpcm_ima_qt", "adpcm_yamaha", "adpcm_swf", "adpcm_ct"),
        *("adpcm_sbpro_2", "adpcm_sbpro_3", "adpcm_sbpro_4", "pcm_mulaw", "pcm_alaw", "pcm_s8"),
        *("pcm_u8", "pcm_s8_planar"),
        *(f"pcm_{kind}{bits}{end}" for kind in "su" for bits in (16, 24, 32) for end in _ENDS),
        *(f"pcm_f{bits}{end}" for bits in (16, 24, 32, 64) for end in _ENDS),
        *(f"pcm_s{bits}le_planar" for bits in (16, 24, 32)),
        *("pcm_s16be_planar", "pcm_s64le", "pcm_s64be"),
    }
)
"""FFmpeg's names of the decoders that may be used."""
