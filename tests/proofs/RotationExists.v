(* What the theorems about rotation presuppose can be had: from every start, with a meaning for all
   letters. *)
From Coq Require Import Reals String Lra.
From Coquelicot Require Import Coquelicot.
From Companion Require Import Letters EqE51 EqE54 EqE56 EqE57 EqE59 Basics Sums Rotation Turning.
Open Scope R_scope.

Section Exists.

Variable n : nat.
Variables s_ tau_y_ : R.
Variables p_ rho_ : nat -> R.

(* The start, where the vectors stand still for now, ... *)
Definition sizes : string -> nat := but "n_h" n (fun _ => O).
Definition still : string -> R -> nat -> nat -> R :=
  but "p_vec_0" (fun _ i _ => p_ i) (but "rho_vec_0" (fun _ i _ => rho_ i)
    (but "p_vec" (fun _ i _ => p_ i) (but "rho_vec" (fun _ i _ => rho_ i) (fun _ _ _ _ => 0)))).
Definition product_0 : R := sum_below n (fun k => p_ k * rho_ k).
Definition numbers_0 : string -> R :=
  but "s" s_ (but "tau_y" tau_y_ (but "m_0" product_0
    (but "sum2" (sum_below n (fun k => (p_ k + rho_ k) * (p_ k + rho_ k)))
      (but "difference2" (sum_below n (fun k => (p_ k - rho_ k) * (p_ k - rho_ k))) (fun _ => 0))))).
Definition letters_0 : letters :=
  whole_meaning numbers_0 (but "m" (fun _ => product_0) (fun _ _ => 0)) sizes still.

(* ... (E51) and (E57) from it, line by line, ... *)
Definition numbers_1 : string -> R :=
  but "c" (eqE51_1_right letters_0 0) (but "C" (eqE51_2_right letters_0 0) numbers_0).
Definition rotation_1 : letters := whole_meaning numbers_1 (fun _ _ => 0) sizes still.
Definition numbers_2 : string -> R :=
  but "Omega" (eqE57_1_right rotation_1) (but "dh2_inf" (eqE57_2_right rotation_1) numbers_1).
Definition numbers_3 : string -> R :=
  but "share" (2 * s_ / Omega (whole_meaning numbers_2 (fun _ _ => 0) sizes still)) numbers_2.
Definition rotation_3 : letters := whole_meaning numbers_3 (fun _ _ => 0) sizes still.

(* ... then the clock (E59), and everything else from it. *)
Definition curves_3 : string -> R -> R :=
  but "N" (eqE59_2_right rotation_3)
    (but "vartheta" (fun t => ln (eqE59_1_right rotation_3 t) / 2) (fun _ _ => 0)).
Definition rotation_4 : letters := whole_meaning numbers_3 curves_3 sizes still.
Definition moving : string -> R -> nat -> nat -> R :=
  but "p_vec" (fun t i _ => eqE54_1_right rotation_4 t i)
    (but "rho_vec" (fun t i _ => eqE54_2_right rotation_4 t i) still).
Definition rotation_5 : letters := whole_meaning numbers_3 curves_3 sizes moving.
Definition curves_5 : string -> R -> R :=
  but "m" (eqE56_2_right rotation_5) (but "dh2" (fun t => 2 * tau_y_ * size_p rotation_5 t) curves_3).
Definition rotation_6 : letters := whole_meaning numbers_3 curves_5 sizes moving.

Hypothesis different : 0 < s_.

(* Omega is not zero, since the targets differ. *)
Lemma Omega_positive : 0 < Omega rotation_6.
Proof.
  change (0 < eqE57_1_right rotation_1); unfold eqE57_1_right; apply sqrt_lt_R0.
  change (s rotation_1) with s_; generalize (pow2_ge_0 (C rotation_1)); nra.
Qed.

(* (E59): an exponential of a logarithm is what it was. *)
Lemma made_clock : clock rotation_6.
Proof.
  split; intros t.
  - intros H; unfold eqE59_1; fold (eqE59_1_right rotation_6 t).
    change (vartheta rotation_6 t) with (ln (eqE59_1_right rotation_6 t) / 2).
    replace (2 * (ln (eqE59_1_right rotation_6 t) / 2)) with (ln (eqE59_1_right rotation_6 t)) by field.
    now apply exp_ln.
  - reflexivity.
Qed.

(* (E54) and (E56): each was chosen from the letters before it. *)
Lemma made_vectors : vectors rotation_6.
Proof. split; intros t; [split; intros i Hi | ]; reflexivity. Qed.

(* The start is that of the letters: (E51) is about the first moment, at which the vectors are those given. *)
Lemma made_begun : begun rotation_6.
Proof.
  destruct (vectors_begin rotation_6 Omega_positive made_clock made_vectors) as (_ & _ & Em & H).
  assert (EP : size_p rotation_6 0 = size_p letters_0 0)
    by (apply sum_as; intros k Hk; destruct (H k Hk) as (Ep & _); now rewrite Ep).
  assert (ER : size_rho rotation_6 0 = size_rho letters_0 0)
    by (apply sum_as; intros k Hk; destruct (H k Hk) as (_ & Er); now rewrite Er).
  repeat (split; [reflexivity | ]); split; [split | split; [reflexivity | exact Omega_positive]].
  - unfold eqE51_1; fold (size_p rotation_6 0) (size_rho rotation_6 0); rewrite EP, ER; reflexivity.
  - unfold eqE51_2; fold (size_p rotation_6 0) (size_rho rotation_6 0); rewrite EP, ER, Em; reflexivity.
Qed.

End Exists.

(* For every width, every two vectors to start from and targets that differ there are letters of which (E51),
   (E54), (E56), (E57) and (E59) hold as the theorems about rotation ask.
   Checks (E51), (E54), (E56), (E57) and (E59). *)
Theorem rotation_exists : forall (n : nat) (s_ tau_y_ : R) (p_ rho_ : nat -> R), 0 < s_ ->
  exists L, (n_h L = n /\ s L = s_ /\ tau_y L = tau_y_
             /\ (forall i, p_vec_0 L i = p_ i /\ rho_vec_0 L i = rho_ i))
    /\ begun L /\ clock L /\ vectors L /\ represented L /\ eqE57 L.
Proof.
  intros n s_ tau_y_ p_ rho_ H; exists (rotation_6 n s_ tau_y_ p_ rho_).
  split; [repeat split; reflexivity | ].
  split; [now apply made_begun | split; [now apply made_clock | split; [apply made_vectors | ]]].
  split; [intros t; reflexivity | split; reflexivity].
Qed.
