// Texts out of files: chosen, or dropped on the form.

import { at, bytes } from "./dom.js";

/** Binds the buttons and the form. `take` gets the text of a file, `refuse` a sentence, `most` tells the
 * bytes that a text may have. */
export function bindFiles(take, refuse, most) {
  const read = async (files) => {
    const [file] = files;
    if (!file) return;
    if (file.size > most()) {
      refuse(`${file.name} is too large: it has ${bytes(file.size)}, and a text may have ${bytes(most())}.`);
      return;
    }
    let text;
    try {
      text = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
    } catch (error) {
      refuse(error instanceof TypeError ? `${file.name} is not UTF-8 text. Save it as UTF-8, and try again.` : `${file.name} cannot be read.`);
      return;
    }
    if (text.includes("\0")) refuse(`${file.name} is not a text: it holds zero bytes.`);
    else if (text.trim() === "") refuse(`${file.name} is empty.`);
    else take(text, files.length > 1 ? `Only the first of ${files.length} files was taken: ${file.name}.` : "");
  };

  at("open").addEventListener("click", () => at("file").click());
  at("file").addEventListener("change", async () => {
    await read(at("file").files);
    at("file").value = ""; // so that the same file can be chosen again
  });
  // A file that is dropped beside the form would otherwise replace the page.
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  const light = (on) => at("ask").classList.toggle("dropping", on);
  addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    light(true);
  });
  addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) light(false);
  });
  addEventListener("drop", (event) => {
    light(false);
    if (!hasFiles(event)) return;
    event.preventDefault();
    read(event.dataTransfer.files);
  });
}
