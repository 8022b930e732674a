"""From the settings of an installation to what each driver wants to know of it."""

from ivr.ari.playing import Tail
from ivr.ari.settings import PbxSettings, Transport
from ivr.config import Config, read_secret
from ivr.fastagi.settings import AgiSettings
from ivr.site import Site


def pbx_settings(config: Config) -> PbxSettings:
    """How to reach Asterisk; without ARI there is no secret. Raises BadInput if it cannot be read."""
    pbx = config.pbx
    first, *more = (each.name for each in config.all_trunks())
    return PbxSettings(
        pbx.url,
        pbx.user,
        "" if config.fastagi.only else read_secret(pbx.secret_file),
        trunk=first,
        more_trunks=tuple(more),
        callers=config.caller_of_trunk(),
        places=config.places(),
        transport=Transport(pbx.transport),
        telephones=(config.duty.endpoint,) if config.duty.endpoint else (),
        two_ways=_takes_two_ways(config),
        numbering=config.numbering,
    )


def agi_settings(config: Config) -> AgiSettings | None:
    """Where Asterisk hands calls over by FastAGI; None if there is no such way."""
    if config.fastagi.port is None:
        return None
    return AgiSettings(
        config.fastagi.port,
        config.fastagi.recordings,
        longest_call=config.pbx.asterisk.longest_call_seconds,
        trunks=tuple(each.name for each in config.all_trunks()),
        callers=config.caller_of_trunk(),
        places=config.places(),
        telephones=(config.duty.endpoint,) if config.duty.endpoint else (),
        two_ways=_takes_two_ways(config),
        numbering=config.numbering,
    )


def _takes_two_ways(config: Config) -> bool:
    """With its module loaded Asterisk takes SIP INFO on every trunk, whatever the trunk agreed on (22.10.1)."""
    return any(each.dtmf in ("info", "auto_info") for each in config.pbx.asterisk.sip_trunks)


def tail_of(site: Site) -> Tail:
    """What Asterisk plays by itself when we are gone."""
    quiet, apology = site.prompts.resolve(("frame/quiet", "frame/apology"), site.questionnaire.language)
    return Tail(quiet, apology)
