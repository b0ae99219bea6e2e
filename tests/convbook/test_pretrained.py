"""Pretrained networks: what fits is loaded, what does not is told, and where it came from is said."""

import hashlib
import shutil
import sys
import warnings
from pathlib import Path

import pytest
import torch
from torchvision import models

from convbook import nets, pretrained
from convbook.data import DataUnavailable, sources
from convbook.pretrained import garments, imagenet, printed
from convbook.pretrained.fitting import fit_weights


@pytest.fixture(autouse=True)
def no_hub(machine, monkeypatch):
    """torch.hub's cache is an empty folder of the test."""
    monkeypatch.setenv("TORCH_HOME", str(machine / "torch"))


class Official:
    """A file in the official layout, of all names and shapes, but small: each tensor is one number, repeated."""

    def __init__(self, name, monkeypatch):
        families = {"resnet18": models.ResNet18_Weights, "resnet50": models.ResNet50_Weights}
        self.name, self.weights, self.monkeypatch = name, families[name].IMAGENET1K_V1, monkeypatch
        with torch.device("meta"):
            shapes = getattr(models, name)(weights=None).state_dict()
        self.state = {
            key: torch.full((1,), place % 97 + 1).to(value.dtype).expand(value.shape)
            if value.ndim
            else torch.tensor(place)
            for place, (key, value) in enumerate(shapes.items())
        }

    def write(self, folder, content=None):
        """Write the file, and have torchvision know it by its digest; returns the path."""
        folder.mkdir(parents=True, exist_ok=True)
        torch.save(self.state if content is None else content, folder / "x.pth")
        digest = hashlib.sha256((folder / "x.pth").read_bytes()).hexdigest()
        path = (folder / "x.pth").rename(folder / f"{self.name}-{digest[:8]}.pth")
        self.address(f"https://download.pytorch.org/models/{path.name}")
        return path

    def address(self, url):
        self.monkeypatch.setattr(self.weights.value, "url", url)

    def fits(self, network):
        found = network.state_dict()
        return found.keys() == self.state.keys() and all(torch.equal(found[key], self.state[key]) for key in found)


@pytest.fixture
def eighteen(monkeypatch):
    return Official("resnet18", monkeypatch)


# ---- our own --------------------------------------------------------------------------------------------------------


def test_the_letters_come_with_convbook_whole_or_with_a_new_head(capsys):
    whole = pretrained.letters()
    torch.manual_seed(0)
    ten = pretrained.letters(num_classes=10)
    assert whole(torch.zeros(2, 1, 8, 8)).shape == (2, 52) and ten(torch.zeros(2, 1, 8, 8)).shape == (2, 10)
    theirs = whole.state_dict()
    assert all(torch.equal(v, theirs[k]) for k, v in ten.state_dict().items() if not k.startswith("fc."))
    torch.manual_seed(0)
    assert torch.equal(ten.fc.weight, printed.untrained(10).fc.weight)  # drawn like any other
    assert capsys.readouterr().out.count("Weights of the letters: letters.safetensors, which comes with convbook.") == 1


def test_damaged_weights_of_the_letters_are_named_and_not_loaded(tmp_path, monkeypatch):
    shutil.copytree(printed.ASSETS, tmp_path / "letters")
    monkeypatch.setattr(printed, "ASSETS", tmp_path / "letters")
    content = bytearray((tmp_path / "letters" / printed.WEIGHTS).read_bytes())
    content[-5] ^= 1
    (tmp_path / "letters" / printed.WEIGHTS).write_bytes(content)
    with pytest.raises(DataUnavailable, match=r"Install convbook again\. .*letters\.safetensors is broken"):
        pretrained.letters()
    (tmp_path / "letters" / printed.LOG).unlink()
    with pytest.raises(DataUnavailable, match=r"letters\.json is missing"):
        pretrained.letters()


def test_lenet_comes_with_convbook_in_32_bits_with_values_of_16(capsys):
    network = pretrained.lenet()
    assert repr(network) == repr(nets.lenet())
    for value in network.state_dict().values():
        assert value.dtype == torch.float32 and torch.equal(value, value.half().float())
    pretrained.lenet()
    assert capsys.readouterr().out.count("Weights of LeNet: lenet.safetensors, which comes with convbook.") == 1


def test_damaged_weights_of_lenet_are_named_and_not_loaded(tmp_path, monkeypatch):
    shutil.copytree(garments.ASSETS, tmp_path / "lenet")
    monkeypatch.setattr(garments, "ASSETS", tmp_path / "lenet")
    content = bytearray((tmp_path / "lenet" / garments.WEIGHTS).read_bytes())
    content[-5] ^= 1
    (tmp_path / "lenet" / garments.WEIGHTS).write_bytes(content)
    with pytest.raises(DataUnavailable, match=r"Install convbook again\. .*lenet\.safetensors is broken"):
        pretrained.lenet()
    (tmp_path / "lenet" / garments.LOG).unlink()
    with pytest.raises(DataUnavailable, match=r"lenet\.json is missing"):
        pretrained.lenet()


def test_weights_that_do_not_fit_are_refused_with_the_names_and_leave_the_network_alone():
    network = printed.untrained()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = dict(before)
    state["conv1.weight"] = torch.zeros(32, 3, 3, 3)
    state["extra"] = torch.zeros(1)
    del state["layer1.0.bn1.bias"]
    with pytest.raises(ValueError, match=r"a file does not fit this network, in 3 of its names: (.*)\.$") as caught:
        fit_weights(network, state, "a file", new_head=False)
    for words in (
        "conv1.weight has shape (32, 3, 3, 3), the network's (32, 1, 3, 3)",
        "extra has no place in the network",
        "layer1.0.bn1.bias is missing",
    ):
        assert words in str(caught.value)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_a_head_of_another_size_is_refused_unless_a_new_one_is_wanted():
    state = printed.untrained(7).state_dict()
    with pytest.raises(ValueError, match=r"in 2 of its names: fc\.bias has shape \(7,\), the network's \(10,\)"):
        fit_weights(printed.untrained(10), state, "a file", new_head=False)
    network = printed.untrained(10)
    fit_weights(network, state, "a file", new_head=True)
    assert torch.equal(network.conv1.weight, state["conv1.weight"])


# ---- ImageNet -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["CONVBOOK_DATA", "torch.hub's cache", "the cache"])
def test_a_file_at_hand_is_taken_and_its_place_is_said(machine, eighteen, monkeypatch, capsys, place):
    monkeypatch.setenv("CONVBOOK_DATA", str(machine / "own"))
    path = eighteen.write(machine / "made")
    folders = {"CONVBOOK_DATA": "own", "torch.hub's cache": "torch/hub/checkpoints", "the cache": f"cache/{path.stem}"}
    folder = machine / folders[place]
    folder.mkdir(parents=True)
    path.rename(folder / path.name)
    assert eighteen.fits(pretrained.resnet18())
    assert capsys.readouterr().out == f"Weights {path.name} from {place}, {folder}.\n"


def test_a_download_is_checked_kept_and_read_from_the_cache_the_next_time(machine, eighteen, serve, capsys):
    path = eighteen.write(machine / "www")
    server = serve(path.parent)
    eighteen.address(server.address + path.name)
    assert eighteen.fits(pretrained.resnet18())
    assert (machine / "cache" / path.stem / path.name).read_bytes() == path.read_bytes()
    asked = len(server.asked)
    assert asked and eighteen.fits(pretrained.resnet18()) and len(server.asked) == asked
    said = capsys.readouterr().out
    assert f"downloaded from {server.address}{path.name}" in said and f"Weights {path.name} from the cache" in said


def test_a_download_that_is_cut_short_leaves_nothing_and_is_named(machine, eighteen, serve):
    path = eighteen.write(machine / "www")
    server = serve(path.parent)
    server.cut = True
    eighteen.address(server.address + path.name)
    with pytest.raises(DataUnavailable, match="download: "):
        pretrained.resnet18()
    assert list((machine / "cache").iterdir()) == []
    server.cut = False
    assert eighteen.fits(pretrained.resnet18())


def test_without_file_and_network_the_message_names_file_digest_and_folders(machine, eighteen, monkeypatch):
    monkeypatch.setattr(sources, "ANSWER_SECONDS", 1)
    path = eighteen.write(machine / "elsewhere")
    monkeypatch.setenv("CONVBOOK_DATA", str(machine / "own"))
    with pytest.raises(DataUnavailable) as caught:
        pretrained.resnet18()
    said = str(caught.value)
    for words in (
        f"the cache, {machine / 'cache' / path.stem}: not there",
        f"torch.hub's cache, {machine / 'torch' / 'hub' / 'checkpoints'}: not there",
        f"CONVBOOK_DATA, {machine / 'own'}: not there",
        "download.pytorch.org",
        f"put {path.name} from https://download.pytorch.org/models/{path.name}",
        f"its SHA-256 begins with {path.stem[-8:]}",
        "set CONVBOOK_DATA to it",
    ):
        assert words in said


@pytest.mark.parametrize("mine", [True, False])
def test_a_broken_file_is_named_never_used_and_fetched_again(machine, eighteen, serve, capsys, mine):
    path = eighteen.write(machine / "www")
    eighteen.address(serve(path.parent).address + path.name)
    folder = machine / (f"cache/{path.stem}" if mine else "torch/hub/checkpoints")
    folder.mkdir(parents=True)
    (folder / path.name).write_bytes(path.read_bytes()[:1_000])
    assert eighteen.fits(pretrained.resnet18())
    said = capsys.readouterr().out
    found = hashlib.sha256(path.read_bytes()[:1_000]).hexdigest()
    assert f"{folder / path.name} is broken: its SHA-256 is {found}, expected {path.stem[-8:]}…" in said
    assert ("Put aside as" if mine else "Passing over it.") in said
    kept = folder.with_name(f"{folder.name}.broken") if mine else folder
    assert (kept / path.name).stat().st_size == 1_000


class Attack:
    def __reduce__(self):
        return Path.touch, (Path("attacked"),)


def test_code_in_a_file_is_never_run_even_where_the_digest_fits(machine, eighteen, monkeypatch, capsys):
    monkeypatch.chdir(machine)
    path = eighteen.write(machine / "own", {"conv1.weight": Attack()})
    monkeypatch.setenv("CONVBOOK_DATA", str(path.parent))
    with pytest.raises(DataUnavailable, match=r"CONVBOOK_DATA, .*: broken"):
        pretrained.resnet18()
    assert not (machine / "attacked").exists()
    assert f"{path} cannot be read" in capsys.readouterr().out


def test_a_file_of_something_else_is_refused(machine, eighteen, monkeypatch, capsys):
    path = eighteen.write(machine / "own", [torch.zeros(1)])
    monkeypatch.setenv("CONVBOOK_DATA", str(path.parent))
    with pytest.raises(DataUnavailable):
        pretrained.resnet18()
    assert f"{path} holds a list, not a dictionary of weights." in capsys.readouterr().out


def test_a_new_head_keeps_all_else(machine, eighteen, monkeypatch):
    monkeypatch.setenv("CONVBOOK_DATA", str(eighteen.write(machine / "own").parent))
    network = pretrained.resnet18(num_classes=2)
    assert network.fc.weight.shape == (2, 512) and len(network.fc.weight.unique()) > 1
    loaded = network.state_dict()
    assert all(torch.equal(loaded[key], value) for key, value in eighteen.state.items() if not key.startswith("fc."))


def test_weights_do_not_cross_the_placements_of_the_stride_silently(machine, monkeypatch):
    fifty = Official("resnet50", monkeypatch)
    monkeypatch.setenv("CONVBOOK_DATA", str(fifty.write(machine / "own").parent))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        network = pretrained.resnet50()
    assert fifty.fits(network) and network.layer2[0].conv2.stride == (2, 2)
    with pytest.warns(UserWarning, match=r"stride on the 3×3 .* on the 1×1: names and shapes fit, the outputs") as told:
        network = pretrained.resnet50(stride_on="1x1")
    assert told[0].filename == __file__
    assert fifty.fits(network) and network.layer2[0].conv1.stride == (2, 2)


def test_torchvisions_own_names_of_files_tell_the_digest():
    for family in ("ResNet18_Weights", "ResNet50_Weights"):
        for weights in getattr(models, family):
            assert imagenet.digest_of(weights.url.rpartition("/")[2]).isalnum()
            assert len(imagenet.digest_of(weights.url.rpartition("/")[2])) == 8


def test_unknown_weights_are_refused_with_those_that_there_are():
    with pytest.raises(ValueError, match="'BEST'; choose one of: IMAGENET1K_V1, IMAGENET1K_V2, DEFAULT"):
        pretrained.resnet50(weights="BEST")


def test_without_torchvision_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(ImportError, match="pip install torchvision"):
        pretrained.resnet18()
