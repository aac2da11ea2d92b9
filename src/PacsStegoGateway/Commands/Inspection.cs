using System.Globalization;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging;
using PacsStegoGateway.Imaging.Frames;
using PacsStegoGateway.Protection;
using PacsStegoGateway.Steganography.Embedding;
using PacsStegoGateway.Steganography.Qr;

namespace PacsStegoGateway.Commands;

/// <summary>What an inspection found.</summary>
internal enum InspectionOutcome
{
    /// <summary>Something is hidden, our keys open it, and the original comes back bit for bit.</summary>
    Original,

    /// <summary>Pixels and essential identifiers come back; the Encrypted Attributes are gone.</summary>
    SymbolAlone,

    /// <summary>The identity can be read, the original cannot be restored.</summary>
    IdentityOnly,

    /// <summary>It was protected, but with keys that are not in this ring, or by another program.</summary>
    NotOurs,

    /// <summary>Nothing is hidden; it could be, as the numbers show.</summary>
    Protectable,

    /// <summary>Nothing is hidden and nothing can be.</summary>
    NotPossible,
}

/// <summary>One image, seen before and after.</summary>
internal sealed class Inspection
{
    private readonly ProtectionRooms _rooms;
    private (DataSet DataSet, TransferSyntax TransferSyntax)? _cover;
    private (DataSet DataSet, TransferSyntax TransferSyntax)? _stego;
    private EssentialIdentity? _identity;
    private EmbeddingSummary? _embedding;
    private Picture? _symbol;

    private Inspection(ProtectionRooms rooms) => _rooms = rooms;

    public InspectionOutcome Outcome { get; private set; }

    /// <summary>Why, in words; empty when there is nothing to explain.</summary>
    public string Detail { get; private set; } = "";

    public static Inspection Of(DicomFile file, ProtectionRooms rooms)
    {
        var inspection = new Inspection(rooms);
        switch (rooms.Revealer.Reveal(file.DataSet, file.TransferSyntax))
        {
            case RevealOutcome.Revealed { Original: var original }:
                inspection.Found(InspectionOutcome.Original, file, original);
                break;
            case RevealOutcome.RevealedFromSymbolAlone { Instance: var instance }:
                inspection.Found(InspectionOutcome.SymbolAlone, file, instance);
                inspection.Detail = "The Encrypted Attributes are gone.";
                break;
            case RevealOutcome.NotRevealed { Identity: not null } not:
                inspection.Outcome = InspectionOutcome.IdentityOnly;
                inspection._identity = not.Identity;
                inspection.Detail = $"{not.Reason}: {not.Detail}";
                break;
            case RevealOutcome.NotRevealed when file.DataSet.Contains(Tags.EncryptedAttributesSequence):
                inspection.Outcome = InspectionOutcome.NotOurs;
                inspection.Detail = "The image carries Encrypted Attributes, but no key of this ring opens what is hidden in it.";
                break;
            default:
                inspection.TryProtect(file);
                break;
        }

        return inspection;
    }

    public object ToReport(bool withIdentity) => new
    {
        Outcome,
        Detail,
        Embedding = _embedding,
        Identity = withIdentity ? _identity?.Values.ToDictionary(static e => DataDictionary.Find(e.Tag)!.Value.Keyword, e => e.ToText(_identity.Values.Encoding)) : null,
        Pixels = Numbers(),
    };

    public void Print(TextWriter output, bool withIdentity)
    {
        output.WriteLine($"Outcome    {Outcome}{(Detail.Length > 0 ? ": " + Detail : "")}");
        output.WriteLine($"Segmenter  {_rooms.Segmenter.Name}");
        if (_embedding is not null)
        {
            output.WriteLine($"Embedding  {_embedding}");
        }

        if (Numbers() is { } numbers)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"Pixels     {numbers.Changed} of {numbers.Total} changed, at most by {numbers.MaximumChange}; outside the mask {numbers.ChangedOutsideMask}; background {numbers.Coverage:P1}"));
        }

        if (withIdentity && _identity is not null)
        {
            foreach (Element element in _identity.Values)
            {
                output.WriteLine($"{DataDictionary.Find(element.Tag)!.Value.Keyword,-24} {element.ToText(_identity.Values.Encoding)}");
            }
        }
    }

    /// <summary>The four panels, or null when there is no pair of images to compare.</summary>
    public Picture? Draw() => Planes() is var (description, cover, stego, mask)
        ? EmbeddingPicture.Draw(description, cover, stego, mask, symbol: _symbol)
        : null;

    private void Found(InspectionOutcome outcome, DicomFile stored, RevealedInstance revealed)
    {
        Outcome = outcome;
        _stego = (stored.DataSet, stored.TransferSyntax);
        DataSet original = DataSetReader.Read(revealed.DataSet, revealed.TransferSyntax);
        _cover = (original, revealed.TransferSyntax);
        _identity = EssentialIdentity.Of(original);
    }

    private void TryProtect(DicomFile file)
    {
        // Kept as the view that it is: nothing leaves.
        switch (_rooms.Protector.Protect(DataSetWriter.ToSource(file.DataSet, file.TransferSyntax), file.TransferSyntax, static i => i.DataSet))
        {
            case ProtectionOutcome.Protected { Instance: var instance }:
                Outcome = InspectionOutcome.Protectable;
                Detail = "Nothing is hidden here yet; this is what protecting it would do.";
                _cover = (file.DataSet, file.TransferSyntax);
                _stego = (DataSetReader.Read(instance.DataSet, instance.TransferSyntax), instance.TransferSyntax);
                _embedding = instance.Embedding;
                break;
            case ProtectionOutcome.Quarantined refused:
                Outcome = InspectionOutcome.NotPossible;
                Detail = $"{refused.Reason}: {refused.Detail}";
                break;
        }
    }

    private PixelNumbers? Numbers()
    {
        if (Planes() is not var (_, cover, stego, mask))
        {
            return null;
        }

        int changed = 0, outside = 0, maximum = 0;
        for (int i = 0; i < cover.Samples.Length; i++)
        {
            int difference = Math.Abs(stego.Samples[i] - cover.Samples[i]);
            if (difference > 0)
            {
                changed++;
                maximum = Math.Max(maximum, difference);
                outside += mask.ContainsPixel(i % cover.Width, i / cover.Width) ? 0 : 1;
            }
        }

        return new PixelNumbers(changed, cover.Samples.Length, maximum, outside, mask.Coverage);
    }

    /// <summary>Counts of samples; the greatest difference in stored units; background share, 0 to 1.</summary>
    private sealed record PixelNumbers(int Changed, int Total, int MaximumChange, int ChangedOutsideMask, double Coverage);

    private (PixelDescription, PixelPlane Cover, PixelPlane Stego, BackgroundMask Mask)? Planes()
    {
        if (_cover is not { } before || _stego is not { } after || PixelDescription.TryRead(after.DataSet, out PixelDescription description) is not null)
        {
            return null;
        }

        PixelPlane cover = FirstPlane(description, before);
        PixelPlane stego = FirstPlane(description, after);
        if (_rooms.Embedder.Extract(stego, description) is not Extracted found)
        {
            return null;
        }

        _symbol = Drawn(QrPicture.Draw(found.SymbolPayload.Span));
        return (description, cover, stego, found.Mask);
    }

    private static PixelPlane FirstPlane(PixelDescription description, (DataSet DataSet, TransferSyntax TransferSyntax) image) =>
        PixelPlane.Read(description, PixelFrames.Open(image.DataSet, image.TransferSyntax).Read(0).Bytes.Span);

    private static Picture Drawn(QrPicture symbol)
    {
        byte[] levels = symbol.Render(1, out int edge);
        var picture = new Picture(edge, edge);
        for (int i = 0; i < levels.Length; i++)
        {
            picture.Rgb.AsSpan(i * 3, 3).Fill(levels[i]);
        }

        return picture;
    }
}
