using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Commands;

/// <summary>Writes one result of a batch.</summary>
internal static class ResultFile
{
    /// <summary>Writes <c>UID.dcm</c>, complete or not at all; a result of that name is replaced.</summary>
    /// <exception cref="DicomContentException">The UID is none: a peer's text never becomes a path.</exception>
    public static void Write(string folder, string sopInstanceUID, byte[] part10)
    {
        if (!Uid.IsValid(sopInstanceUID))
        {
            throw new DicomContentException("The SOP Instance UID is not a valid UID, so the result has no file name.");
        }

        string path = Path.Combine(folder, sopInstanceUID + ".dcm");
        string temporary = path + ".part";
        File.WriteAllBytes(temporary, part10);
        File.Move(temporary, path, overwrite: true);
    }
}
